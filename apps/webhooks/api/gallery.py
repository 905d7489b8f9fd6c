"""The built-in templates over the REST API."""

from typing import Any

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from apps.common.api.parameters import refuse_unknown_parameters
from apps.common.api.views import ApiView
from apps.webhooks.api.samples import MappingField
from apps.webhooks.gallery import GALLERY, Entry
from apps.webhooks.mapping import to_plain
from apps.webhooks.models import TemplateFormat, Webhook


class BlankToFill(serializers.Serializer):  # type: ignore[type-arg]
    """What stands in a built-in template until it is replaced, and where to get it from."""

    placeholder = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    where_from = serializers.CharField()


class GallerySummary(serializers.Serializer):  # type: ignore[type-arg]
    """A built-in template in a list."""

    key = serializers.CharField()
    name = serializers.CharField()
    purpose = serializers.CharField()
    format = serializers.ChoiceField(TemplateFormat.choices)


class SuggestedHeader(serializers.Serializer):  # type: ignore[type-arg]
    """A header that the system asks for."""

    name = serializers.CharField()
    value = serializers.CharField()


class GalleryTemplate(GallerySummary):
    """A built-in template, with what its webhook needs."""

    sample = serializers.CharField()
    mapping = MappingField()
    url = serializers.CharField(allow_blank=True)
    method = serializers.ChoiceField(Webhook.Method.choices)
    headers = SuggestedHeader(many=True)
    blanks = BlankToFill(many=True)
    notes = serializers.ListField(child=serializers.CharField())


class GalleryList(serializers.Serializer):  # type: ignore[type-arg]
    """All built-in templates."""

    data = GallerySummary(many=True)  # type: ignore[assignment]


class GalleryView(ApiView):
    """`GET /api/v1/gallery`."""

    @extend_schema(operation_id="gallery_list", responses=GalleryList)
    def get(self, request: Request) -> Response:
        """List the built-in templates; `/templates/from-gallery` copies one into an account."""
        refuse_unknown_parameters(request, set())
        return Response({"data": [_summary(entry) for entry in GALLERY.values()]})


class GalleryEntryView(ApiView):
    """`GET /api/v1/gallery/{key}`."""

    @extend_schema(operation_id="gallery_retrieve", responses=GalleryTemplate)
    def get(self, request: Request, key: str) -> Response:
        """Show one built-in template, with what its webhook needs."""
        refuse_unknown_parameters(request, set())
        entry = GALLERY.get(key)
        if entry is None:
            raise Http404
        return Response(_shown(entry))


def _summary(entry: Entry) -> dict[str, Any]:
    return {
        "key": entry.key,
        "name": entry.name,
        "purpose": entry.purpose,
        "format": entry.format.value,
    }


def _shown(entry: Entry) -> dict[str, Any]:
    return {
        **_summary(entry),
        "sample": entry.sample,
        "mapping": to_plain(entry.mapping),
        "url": entry.url,
        "method": entry.method,
        "headers": [{"name": name, "value": value} for name, value in entry.headers],
        "blanks": [
            {"placeholder": each.placeholder, "label": each.label, "where_from": each.where_from}
            for each in entry.blanks
        ],
        "notes": list(entry.notes),
    }
