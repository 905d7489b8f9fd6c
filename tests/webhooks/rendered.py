"""Short ways to a rendered payload, and to what a receiver's parser makes of it."""

import json
from urllib.parse import parse_qsl

from apps.webhooks.formats import Format
from apps.webhooks.mapping import FieldMapping, Mapping
from apps.webhooks.rendering import compile_template
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT

EMPTY_CALL: dict[str, object] = {}


def render(form, sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return compile_template(format=form, sample=sample, mapping=mapping).render(snapshot)


def render_json(sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return json.loads(render(Format.JSON, sample, snapshot, mapping))


def render_xml(sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    return render(Format.XML, sample, snapshot, mapping).decode()


def render_pairs(form, sample, snapshot=EXAMPLE_SNAPSHOT, mapping=None):
    rendered = render(form, sample, snapshot, mapping).decode("ascii")
    return parse_qsl(rendered, keep_blank_values=True, strict_parsing=bool(rendered))


def mapped(path, **options):
    return Mapping((FieldMapping(path, **options),))
