"""Which charset the text of a request is in."""

from django.core.handlers.wsgi import WSGIRequest


class Utf8Request(WSGIRequest):
    """A request whose query and form are UTF-8, as everybody writes them, whatever its header says.

    Python takes names for charsets that are none of text, as hex, and breaks off where they are
    used, as early as here; Django does at others, each time that a form is looked at, also by the
    page that tells of the fault. Bodies that are neither are read by whoever knows what they are.
    """

    @property
    def encoding(self) -> str | None:
        """None, which is the charset of the settings: UTF-8."""
        return None

    @encoding.setter
    def encoding(self, told: str) -> None:
        """Take no other."""
