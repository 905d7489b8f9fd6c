"""Updates that send only what changed since the webhook was last told of the call."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Self

from apps.campaigns.conditions_in_words import NOTHING_CHANGED
from apps.campaigns.matching import Match
from apps.delivery.models import Delivery, DeliveryState
from apps.webhooks.mapping import Mapping as FieldMappings
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import TemplateVersion
from apps.webhooks.rendering import changed_places
from apps.webhooks.tokens import Snapshot

_Line = tuple[uuid.UUID, uuid.UUID]


class Told:
    """What webhooks have been told of calls. Two queries, none where nobody asks."""

    def __init__(
        self, snapshots: dict[_Line, Snapshot], mappings: Mapping[uuid.UUID, FieldMappings]
    ) -> None:
        self._snapshots = snapshots
        self._mappings = mappings

    @classmethod
    def before(cls, matches: Sequence[Match]) -> Self:
        """Read what was told before these matches."""
        asking = [match for match in matches if match.attachment.only_changes]
        if not asking:
            return cls({}, {})
        templates = (match.attachment.template for match in asking)
        versions = [each.current_version_id for each in templates if each.current_version_id]
        mappings = TemplateVersion.objects.filter(pk__in=versions).values_list("pk", "mapping")
        return cls(_told_of(asking), {key: from_plain(mapping) for key, mapping in mappings})

    def narrow(self, match: Match, delivery: Delivery) -> str:
        """Have a delivery send only what changed; return why it sends nothing, else "".

        Without anything told before, all of it is new.
        """
        if not self._mappings:
            return ""
        line = (delivery.call_id, delivery.webhook_id)
        before, after = self._snapshots.get(line), match.recorded.event.snapshot
        # Whether a caller has a turn is known later: what may be left out has told nothing.
        if not match.why_not and not match.attachment.once_per_caller_h:
            self._snapshots[line] = after
        if before is None or not match.attachment.only_changes:
            return ""
        mapping = self._mappings[delivery.template_version_id]
        changed = changed_places(mapping, before, after)
        delivery.changed_paths = changed or None
        return "" if changed else NOTHING_CHANGED


def _told_of(matches: Iterable[Match]) -> dict[_Line, Snapshot]:
    """Return the snapshot of the newest that each line was sent, or is going to be."""
    told = (
        Delivery.objects.filter(
            call_id__in={match.recorded.call.pk for match in matches},
            webhook_id__in={match.attachment.webhook_id for match in matches},
            state__in=(*DeliveryState.unfinished(), DeliveryState.SUCCEEDED),
        )
        .order_by("call_id", "webhook_id", "-pk")
        .distinct("call_id", "webhook_id")
        .values_list("call_id", "webhook_id", "event__snapshot", "content_event__snapshot")
    )
    return {
        (call_id, webhook_id): content or snapshot
        for call_id, webhook_id, snapshot, content in told
    }
