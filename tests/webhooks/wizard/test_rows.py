"""Rows as they come back from a page: what they do not show stays as it was."""

from typing import Any

import pytest

from apps.webhooks.extraction import extract
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.mapping import FieldMapping, Mapping, find_problems
from apps.webhooks.wizard.rows import mapping_posted, places_of, rows_of

SAMPLE = extract('{"a": "%ani%", "b": {"c": 7}}', Format.JSON)


def posted(mapping: Mapping, sample: Any = SAMPLE, **changes: str) -> Mapping:
    """Send the rows of a mapping back as a browser does, with changes."""
    places = places_of(sample)
    form: dict[str, str] = {}
    for row in rows_of(places, sample, mapping, {}, {}, 0):
        offered = [kind for kind, _ in row.kinds]
        form[f"kind-{row.index}"] = row.kind if row.kind in offered else offered[0]
        form[f"value-{row.index}"] = row.value
    return mapping_posted({**form, **changes}, places, mapping)


class TestANumberOfAFormatter:
    @pytest.mark.parametrize("typed", ["--5", "-", "1" * 5_000, "٣", "5 "])
    def test_that_is_none_stays_to_be_refused(self, typed: str) -> None:
        panel = {"o0-open": "1", "o0-f0": "truncate", "o0-f0-length": typed}
        mapping = posted(Mapping(()), **panel)
        (formatter,) = mapping.get("$.a").formatters
        assert formatter.options == {"length": typed}
        assert "whole number" in " ".join(each.message for each in find_problems(mapping, SAMPLE))


class TestOnlyIf:
    def test_stays_with_fields_and_with_what_holds_fields(self) -> None:
        for key in ("call_processed", "call_complete_get"):
            entry = GALLERY[key]
            sent_back = posted(entry.mapping, entry.extracted)
            assert {each.path: each for each in sent_back.fields} == {
                each.path: each for each in entry.mapping.fields
            }

    def test_is_set_in_the_panel_and_taken_away_there(self) -> None:
        panel = {"o0-open": "1", "o0-when_empty": "keep", "o0-type": "sample"}
        mapping = Mapping((FieldMapping("$.b", only_if="gclid"),))
        mapping = posted(mapping, **panel, **{"o0-only_if": " %is_dynamic% "})
        assert mapping.get("$.a").only_if == "is_dynamic"
        assert mapping.get("$.b").only_if == "gclid"
        assert posted(mapping, **panel).get("$.a").only_if == ""
