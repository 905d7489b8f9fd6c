"""Every address Hookline answers."""

from django.contrib import admin
from django.urls import include, path, re_path

from apps.common.views import api_not_found

urlpatterns = [
    path("api/v1/", include("config.api")),
    re_path(r"^api/", api_not_found),
    path("", admin.site.urls),
]
