"""What bodies may look like, and what a large one costs."""

import tracemalloc
from typing import Any

import pytest
from rest_framework import serializers

from apps.common.api.bodies import MAX_DEPTH, check_shape
from apps.common.api.fields import ShortList
from apps.common.problems import Problem


def refused(body: Any) -> tuple[str, str]:
    """Return pointer and code of the fault of a body."""
    with pytest.raises(Problem) as caught:
        check_shape(body)
    (fault,) = caught.value.errors
    return fault.pointer, fault.code  # type: ignore[union-attr]


def nested(levels: int) -> Any:
    body: Any = 1
    for _ in range(levels):
        body = [body]
    return body


class TestTheShape:
    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ("\0", ""),
            ({"a": [1, {"b/c~d": "x\0"}]}, "/a/1/b~1c~0d"),
            ({"a": {"x\0": 1}}, "/a"),
            ([{}, [], "", "\0"], "/3"),
        ],
    )
    def test_points_at_a_nul(self, body: Any, pointer: str) -> None:
        assert refused(body) == (pointer, "nul_character")

    def test_has_so_many_levels_and_no_more(self) -> None:
        check_shape(nested(MAX_DEPTH - 1))
        assert refused(nested(MAX_DEPTH)) == ("", "too_deep")

    @pytest.mark.parametrize("body", [[0] * 300_000, [{"a": [1]}] * 100_000])
    def test_is_judged_without_keeping_anything_of_each_element(self, body: Any) -> None:
        tracemalloc.start()
        check_shape(body)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 100_000


class TestAShortList:
    def test_looks_at_no_item_of_one_that_is_too_long(self) -> None:
        class Wanted(serializers.Serializer[Any]):
            numbers = ShortList(child=serializers.IntegerField(), max_length=2)

        wanted = Wanted(data={"numbers": ["x"] * 1000})
        assert not wanted.is_valid()
        assert [fault.code for fault in wanted.errors["numbers"]] == ["max_length"]
        assert Wanted(data={"numbers": [1, 2]}).is_valid()
