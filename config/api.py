"""The addresses of the REST API, version 1."""

from django.urls import path

from apps.intake.views import EventsView

urlpatterns = [
    path("events", EventsView.as_view(), name="events"),
]
