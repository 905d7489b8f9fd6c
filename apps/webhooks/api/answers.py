"""What the questions about samples and templates are answered, for the description of the API."""

from rest_framework import serializers

from apps.webhooks.api.samples import MappingField


class FoundField(serializers.Serializer):  # type: ignore[type-arg]
    """A place of a sample."""

    path = serializers.CharField()
    name = serializers.CharField()
    sample = serializers.CharField(allow_blank=True)
    type = serializers.ChoiceField(["string", "number", "boolean", "null", "object", "array"])


class FieldsFound(serializers.Serializer):  # type: ignore[type-arg]
    """What is in a sample."""

    format = serializers.CharField()
    fields = FoundField(many=True)  # type: ignore[assignment]
    containers = FoundField(many=True)
    mapping = MappingField()


class Suggested(serializers.Serializer):  # type: ignore[type-arg]
    """A token for a place; from 85 of 100 on it is sure."""

    token = serializers.CharField()
    score = serializers.IntegerField()
    is_sure = serializers.BooleanField()
    reason = serializers.CharField()
    formatters = serializers.ListField(child=serializers.DictField())


class SuggestedForField(serializers.Serializer):  # type: ignore[type-arg]
    """The tokens that may belong in a place, best first."""

    path = serializers.CharField()
    suggestions = Suggested(many=True)


class Suggestions(serializers.Serializer):  # type: ignore[type-arg]
    """Places for which something is suggested."""

    data = SuggestedForField(many=True)  # type: ignore[assignment]


class Judgement(serializers.Serializer):  # type: ignore[type-arg]
    """Whether a template can be used, and what is against it."""

    is_usable = serializers.BooleanField()
    faults = serializers.ListField(child=serializers.CharField())


class Payload(serializers.Serializer):  # type: ignore[type-arg]
    """What would be sent; of a URL query, what stands behind the URL."""

    payload = serializers.CharField(allow_blank=True)
    content_type = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(help_text="Bytes.")
    tokens = serializers.ListField(child=serializers.CharField())
    warnings = serializers.ListField(child=serializers.CharField())
    faults = serializers.ListField(child=serializers.CharField())


class TemplateUse(serializers.Serializer):  # type: ignore[type-arg]
    """Who sends a template, as far as it is within reach."""

    webhooks = serializers.IntegerField()
    accounts = serializers.IntegerField()


class ComparedLine(serializers.Serializer):  # type: ignore[type-arg]
    """A line of a comparison."""

    sign = serializers.ChoiceField(["+", "-", " ", "@"])
    text = serializers.CharField(allow_blank=True)


class Comparison(serializers.Serializer):  # type: ignore[type-arg]
    """What changed between two versions."""

    old = serializers.IntegerField()
    new = serializers.IntegerField()
    lines = ComparedLine(many=True)
