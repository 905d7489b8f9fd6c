"""The addresses of the wizard."""

from django.contrib import admin
from django.urls import path

from apps.webhooks.wizard import fields, preview_pages, views

_inside = admin.site.admin_view

urlpatterns = [
    path("", _inside(views.start), name="wizard"),
    path("template/<uuid:template_id>/", _inside(views.edit), name="wizard_edit"),
    path("<uuid:draft_id>/", _inside(views.resume), name="wizard_resume"),
    path("<uuid:draft_id>/discard/", _inside(views.discard), name="wizard_discard"),
    path("<uuid:draft_id>/preview/", _inside(preview_pages.preview_page), name="wizard_preview"),
    path("<uuid:draft_id>/calls/", _inside(preview_pages.calls_page), name="wizard_calls"),
    path("<uuid:draft_id>/check/", _inside(preview_pages.check_page), name="wizard_check"),
    path("<uuid:draft_id>/options/<int:index>/", _inside(fields.options), name="wizard_options"),
    path("<uuid:draft_id>/<str:step>/", _inside(views.step), name="wizard_step"),
]
