"""Rendering: from a sample, its mapping and a call to the payload that is sent."""

from apps.webhooks.rendering.changes import changed_places
from apps.webhooks.rendering.template import CompiledTemplate, compile_template
from apps.webhooks.rendering.text import CompiledText, compile_text

__all__ = [
    "CompiledTemplate",
    "CompiledText",
    "changed_places",
    "compile_template",
    "compile_text",
]
