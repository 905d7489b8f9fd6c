"""Secrets that were replaced; the page of their webhook's secret tells of them."""

from django.contrib import admin

from apps.common.admin.dependent import DependentAdmin
from apps.webhooks.models import RetiredSecret


@admin.register(RetiredSecret)
class RetiredSecretAdmin(DependentAdmin):
    """Until when an old secret signs along; never the secret itself."""

    list_display = ["webhook", "signs_until"]
    list_select_related = ["webhook"]
    fieldsets = [(None, {"fields": ["webhook", "signs_until"]})]
