"""Versions of a template and who uses it: compared, gone back to, duplicated, carried as a file."""

import difflib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q

from apps.accounts.models import Account, User
from apps.common.api.bodies import check_shape
from apps.common.problems import Problem
from apps.webhooks.mapping import Kind, MappingError, from_plain
from apps.webhooks.models import Template, TemplateFormat, TemplateVersion, Webhook
from apps.webhooks.services import save_template

FILE_VERSION = 1
MOST_FILE_BYTES = 2_000_000
_SHOWN_WEBHOOKS = 50
# Lines of one version that are compared with those of another in their order. Beyond, lines that
# repeat could keep a process busy for minutes.
_MOST_COMPARED = 1_000


@dataclass(frozen=True, slots=True)
class Use:
    """Who sends a template, as far as the asking person reaches them."""

    webhooks: list[Webhook]
    webhook_total: int
    account_total: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a comparison; `sign` is "+", "-", " " or "@" for a gap."""

    sign: str
    text: str


def use_of(template: Template) -> Use:
    """Return the webhooks that send a template; those of other reachable accounts count too."""
    # A webhook may have an attachment that sends another template than its own.
    by_attachment = Webhook.objects.filter(attachments__own_template=template)
    webhooks = Webhook.objects.filter(Q(template=template) | Q(pk__in=by_attachment))
    return Use(
        webhooks=list(
            webhooks.select_related("account", "location").defer("secret")[:_SHOWN_WEBHOOKS]
        ),
        webhook_total=webhooks.count(),
        account_total=webhooks.order_by().values("account").distinct().count(),
    )


def differences(old: TemplateVersion, new: TemplateVersion) -> Iterator[Line]:
    """Yield what changed from one version to another, sample first, then the fields."""
    yield from _compared(_sample_lines(old), _sample_lines(new))
    yield from _compared(_fields(old), _fields(new))


def _compared(before: list[str], after: list[str]) -> Iterator[Line]:
    if max(len(before), len(after)) > _MOST_COMPARED:
        yield from _roughly_compared(before, after)
        return
    for line in list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]:
        yield Line("@", "…") if line.startswith("@@") else Line(line[0], line[1:])


def _roughly_compared(before: list[str], after: list[str]) -> Iterator[Line]:
    """Yield the lines that only one of the two has, whatever their order, and say so."""
    if before == after:
        return
    yield Line("@", "Too long to compare in order. Lines that only one of the versions has:")
    for sign, lines, others in (("-", before, after), ("+", after, before)):
        elsewhere = Counter(others)
        for line in lines:
            if elsewhere[line]:
                elsewhere[line] -= 1
            else:
                yield Line(sign, line)


def _sample_lines(version: TemplateVersion) -> list[str]:
    return version.sample.splitlines()


def _fields(version: TemplateVersion) -> list[str]:
    fields = sorted(version.mapping, key=lambda field: str(field.get("path")))
    return [f"{field.get('path')} ← {_content(field)}" for field in fields]


def _content(field: dict[str, Any]) -> str:
    """What fills a field in words, and its options as they are stored."""
    rest = {name: value for name, value in field.items() if name not in ("path", "kind")}
    match field.get("kind"):
        case Kind.TOKEN:
            words = f"%{rest.pop('token', '')}%"
        case Kind.REPEAT:
            words = f"repeats for each of %{rest.pop('token', '')}%"
        case Kind.TEXT:
            words = f"“{rest.pop('text', '')}”"
        case Kind.OMIT:
            words = "left out"
        case _:
            words = f"always “{rest.pop('constant')}”" if "constant" in rest else "as in the sample"
    options = json.dumps(rest, ensure_ascii=False, sort_keys=True) if rest else ""
    return f"{words} {options}".strip()


def go_back(*, version: TemplateVersion, by: User | None) -> TemplateVersion:
    """Make an earlier state the current one again: as a new version, so that nothing is lost."""
    template = version.template
    # Nothing but the version is changed, whatever somebody else changes meanwhile.
    template.keep_as_read()
    return save_template(
        template=template,
        sample=version.sample,
        by=by,
        mapping=from_plain(version.mapping),
    )


@transaction.atomic
def duplicate(*, template: Template, account: Account, by: User | None) -> Template:
    """Copy the current version of a template into an account, under a name that is free there."""
    version = template.current()
    copy = Template(
        account=account,
        name=free_name(account=account, wanted=f"{template.name} (copy)"),
        format=template.format,
        group_id=template.group_id if template.account_id == account.pk else None,
    )
    mapping = from_plain(version.mapping)
    save_template(template=copy, sample=version.sample, by=by, mapping=mapping)
    return copy


def as_file(template: Template) -> str:
    """Return a template as the text of a file that `from_file` takes."""
    version = template.current()
    content = {
        "hookline_template": FILE_VERSION,
        "name": template.name,
        "format": template.format,
        "sample": version.sample,
        "mapping": version.mapping,
    }
    return json.dumps(content, ensure_ascii=False, indent=2) + "\n"


def from_file(*, text: str, account: Account, by: User | None) -> Template:
    """Make a template of an exported file; one whose name is taken gets a number.

    Raises ValidationError for what is no such file, and saves nothing.
    """
    try:
        content = orjson.loads(text)
        check_shape(content)
    except orjson.JSONDecodeError:
        raise ValidationError("This file is no JSON.") from None
    except Problem as problem:
        raise ValidationError([fault.message for fault in problem.errors]) from None
    if not isinstance(content, dict) or content.get("hookline_template") != FILE_VERSION:
        raise ValidationError("This file is no exported template.")
    name, format_, sample = (content.get(key) for key in ("name", "format", "sample"))
    if not (isinstance(name, str) and isinstance(format_, str) and isinstance(sample, str)):
        raise ValidationError("The file lacks a name, a format or a sample.")
    if format_ not in TemplateFormat.values:
        raise ValidationError("The file has a format that there is not.")
    try:
        mapping = from_plain(content.get("mapping"))
    except MappingError as error:
        raise ValidationError([f"{each.path}: {each.message}" for each in error.problems]) from None
    template = Template(
        account=account, name=free_name(account=account, wanted=name.strip()), format=format_
    )
    save_template(template=template, sample=sample, by=by, mapping=mapping)
    return template


def free_name(*, account: Account, wanted: str) -> str:
    """Return the name, with a number behind it where it is taken."""
    taken = set(Template.objects.filter(account=account).values_list("name", flat=True))
    name, number = wanted[:120], 1
    while name in taken:
        number += 1
        name = f"{wanted[:112]} {number}"
    return name
