"""Saving templates and webhooks."""

import secrets
from base64 import b64encode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max

from apps.accounts.models import User
from apps.common.egress import EgressError, EgressPolicy, UnresolvableHost
from apps.webhooks.extraction import Sample, SampleError, extract
from apps.webhooks.formats import Format
from apps.webhooks.mapping import Mapping, MappingError, auto_map, to_plain
from apps.webhooks.models import Template, TemplateVersion

_SECRET_BYTES = 32


@transaction.atomic
def save_template(*, template: Template, sample: str, by: User | None) -> TemplateVersion:
    """Save a template together with its sample, and return its current version.

    A new or changed sample becomes a new version, with what its %tokens% say as its mapping; the
    same sample again makes none. Raises ValidationError, and saves nothing, for a sample that can
    not be used: `sample` tells line and column, or each unknown token with its place.
    """
    mapping = check_sample(sample=sample, template_format=template.format)
    current = template.current_version
    if current is not None:
        if Template.objects.filter(pk=template.pk).exclude(format=template.format).exists():
            raise ValidationError({"format": "The type is fixed; make another template."})
        if current.sample == sample:
            template.full_clean()
            template.save()
            return current
    template.full_clean(exclude=["current_version"])
    template.save()
    # Held until the end, so that two people who save at once get two numbers.
    Template.objects.select_for_update().get(pk=template.pk)
    last = template.versions.aggregate(last=Max("number"))["last"] or 0
    version = TemplateVersion.objects.create(
        account_id=template.account_id,
        template=template,
        number=last + 1,
        sample=sample,
        mapping=to_plain(mapping),
        created_by=by,
    )
    template.current_version = version
    template.save(update_fields=["current_version"])
    return version


def check_sample(*, sample: str, template_format: str) -> Mapping:
    """Return the mapping that a sample brings along.

    Raises ValidationError with line and column of what can not be read, or with every unknown
    token and its place.
    """
    extracted = read_sample(sample=sample, template_format=template_format)
    try:
        return auto_map(extracted)
    except MappingError as error:
        raise ValidationError(
            {"sample": [f"{fault.message} (at {fault.path})" for fault in error.problems]}
        ) from None


def read_sample(*, sample: str, template_format: str) -> Sample:
    """Return the sample's fields; raise ValidationError with line and column if it has none."""
    try:
        return extract(sample, Format(template_format))
    except SampleError as error:
        place = f"Line {error.line}, column {error.column}: {error.message}"
        near = f" Near: {error.snippet}" if error.snippet else ""
        raise ValidationError({"sample": place + near}) from None


def check_target(*, url: str) -> str:
    """Return the URL in the spelling that is sent.

    Raises ValidationError that names the address and why webhooks may not go there. A name that
    can not be found just now is fine: it is judged again before each request.
    """
    policy = EgressPolicy.from_strings(settings.EGRESS_ALLOW)
    try:
        policy.resolve_and_vet(url)
    except UnresolvableHost:
        pass
    except EgressError as error:
        raise ValidationError(error.reason, code="blocked_url") from None
    return policy.check_url(url).url


def new_signing_secret() -> str:
    """Return a secret in the form of Standard Webhooks: `whsec_` and 32 random bytes in base64."""
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")
