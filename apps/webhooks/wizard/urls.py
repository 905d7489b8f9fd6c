"""The addresses of the wizard."""

from django.contrib import admin
from django.urls import path

from apps.webhooks.wizard import fields, views

_inside = admin.site.admin_view

urlpatterns = [
    path("", _inside(views.start), name="wizard"),
    path("<uuid:draft_id>/", _inside(views.resume), name="wizard_resume"),
    path("<uuid:draft_id>/discard/", _inside(views.discard), name="wizard_discard"),
    path("<uuid:draft_id>/preview/", _inside(fields.preview_page), name="wizard_preview"),
    path("<uuid:draft_id>/options/<int:index>/", _inside(fields.options), name="wizard_options"),
    path("<uuid:draft_id>/<str:step>/", _inside(views.step), name="wizard_step"),
]
