"""docs/systems.md names every parameter of the systems that Hookline replaces, and its token."""

from apps.webhooks.gallery.call_complete import DISPOSITIONS, TRAFFIC_TYPES
from apps.webhooks.gallery.parameters import ATTRIBUTION, POST_CALL
from tests.architecture.image import BASE_DIR

TEXT = (BASE_DIR / "docs/systems.md").read_text()


class TestSystemsDocument:
    def test_has_each_parameter_with_its_token(self) -> None:
        for parameter in POST_CALL.values():
            assert f"| {parameter.label} | `%{parameter.token}%` |" in TEXT
        for parameter in ATTRIBUTION:
            assert f"| `{parameter.key}` | `%{parameter.token}%` |" in TEXT

    def test_has_the_words_of_call_complete(self) -> None:
        assert {
            word for word in (*DISPOSITIONS, *TRAFFIC_TYPES) if f"`{word}`" not in TEXT
        } == set()
