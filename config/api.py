"""The addresses of the REST API, version 1."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.accounts.api import views as accounts
from apps.campaigns.api import sheets
from apps.campaigns.api import views as campaigns
from apps.campaigns.api.applying import TemplatesToApply
from apps.common.api.audit import AuditViewSet
from apps.common.api.pages import redoc, swagger
from apps.common.tenancy import opens_scopes
from apps.delivery.api import calls, deliveries, webhooks
from apps.delivery.api.usage import UsageView
from apps.intake.callback_views import CallbackView
from apps.intake.views import EventsView
from apps.ivr.api import views as ivrs
from apps.ivr.views import ResultsView, StepView
from apps.webhooks.api import template_views as templates
from apps.webhooks.api.gallery import GalleryEntryView, GalleryView
from apps.webhooks.api.tokens import TokensView, TokenView

router = SimpleRouter(trailing_slash=False, use_regex_path=True)
router.register("accounts", accounts.AccountViewSet, basename="account")
router.register("groups", accounts.GroupViewSet, basename="group")
router.register("locations", sheets.LocationsToExport, basename="location")
router.register("members", accounts.MemberViewSet, basename="member")
router.register("api-keys", accounts.ApiKeyViewSet, basename="api-key")
router.register("templates", TemplatesToApply, basename="template")
router.register(
    r"templates/(?P<template_id>[^/]+)/versions",
    templates.VersionViewSet,
    basename="template-versions",
)
router.register("webhooks", webhooks.WebhookViewSet, basename="webhook")
router.register("attachments", campaigns.AttachmentViewSet, basename="attachment")
router.register("campaigns", sheets.CampaignsToExport, basename="campaign")
router.register("tracking-numbers", sheets.NumbersToExport, basename="tracking-number")
router.register("treatments", campaigns.TreatmentViewSet, basename="treatment")
router.register(
    r"treatments/(?P<treatment_id>[^/]+)/options", campaigns.OptionViewSet, basename="option"
)
router.register("imports", sheets.ImportViewSet, basename="import")
router.register("ivrs", ivrs.IvrViewSet, basename="ivr")
router.register(r"ivrs/(?P<ivr_id>[^/]+)/questions", ivrs.QuestionViewSet, basename="ivr-question")
router.register(r"ivrs/(?P<ivr_id>[^/]+)/exchanges", ivrs.ExchangeViewSet, basename="ivr-exchange")
router.register("calls", calls.CallViewSet, basename="call")
router.register("deliveries", deliveries.DeliveryViewSet, basename="delivery")
router.register(
    r"deliveries/(?P<delivery_id>[^/]+)/attempts", deliveries.AttemptViewSet, basename="attempt"
)
router.register("replays", deliveries.ReplayViewSet, basename="replay")
router.register("audit", AuditViewSet, basename="audit-entry")
router.register("alerts", deliveries.AlertViewSet, basename="alert")

urlpatterns = [
    path("callbacks/<str:source_id>/<str:url_key>", CallbackView.as_view(), name="callback"),
    path("events", opens_scopes(EventsView.as_view()), name="events"),
    path("ivr/steps/<str:step>", opens_scopes(StepView.as_view()), name="ivr_step"),
    path("ivr/<str:ivr>/results", opens_scopes(ResultsView.as_view()), name="ivr_results"),
    path(
        "ivrs/<str:ivr_id>/hook",
        ivrs.HookViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
        name="ivr-hook",
    ),
    path(
        "webhooks/<str:id>/test",
        opens_scopes(webhooks.WebhookViewSet.as_view({"post": "test"})),
        name="webhook_test",
    ),
    path("gallery", GalleryView.as_view(), name="gallery"),
    path("gallery/<str:key>", GalleryEntryView.as_view(), name="gallery-entry"),
    path("tokens", TokensView.as_view(), name="tokens"),
    path("tokens/<str:name>", TokenView.as_view(), name="token"),
    path("usage", UsageView.as_view(), name="usage"),
    path("docs", swagger, name="docs"),
    path("redoc", redoc, name="redoc"),
    path("", include(router.urls)),
]
