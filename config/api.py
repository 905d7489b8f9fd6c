"""The addresses of the REST API, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.common.tenancy import opens_scopes
from apps.intake.callback_views import CallbackView
from apps.intake.views import EventsView
from apps.ivr.views import ResultsView
from apps.webhooks.api.template_views import TemplateViewSet, VersionViewSet

router = SimpleRouter(trailing_slash=False, use_regex_path=True)
router.register("templates", TemplateViewSet, basename="template")
router.register(
    r"templates/(?P<template_id>[^/]+)/versions", VersionViewSet, basename="template-versions"
)

urlpatterns = [
    path("callbacks/<str:source_id>/<str:url_key>", CallbackView.as_view(), name="callback"),
    path("events", EventsView.as_view(), name="events"),
    path("ivr/<str:ivr>/results", opens_scopes(ResultsView.as_view()), name="ivr_results"),
    path("", include(router.urls)),
]
