"""What the phone platform is told, in the form it wants: JSON, the source's XML, or TwiML. Pure.

A reply is the JSON form of a decision (`as_plain`) with `exchange`, `decided_by` and `reason`, and
`ivr` where the action leads to an IVR that is set up here.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

import orjson
from lxml import etree

from apps.ivr.elements import add

Reply = Mapping[str, Any]


class Form(StrEnum):
    """How a reply is written."""

    JSON = "json"
    XML = "xml"
    TWIML = "twiml"

    @property
    def content_type(self) -> str:
        """The Content-Type it is sent with."""
        return _CONTENT_TYPES[self]


_CONTENT_TYPES: Final = {
    Form.JSON: "application/json",
    Form.XML: "application/xml; charset=utf-8",
    Form.TWIML: "text/xml; charset=utf-8",
}
# Media types of an Accept header. Plain XML is whichever of the two the IVR is set to.
_ACCEPTED: Final = {
    "application/json": Form.JSON,
    "application/twiml+xml": Form.TWIML,
    "application/xml": Form.XML,
    "text/xml": Form.XML,
}


def wanted_form(accept: str, usual: Form) -> Form:
    """Return the form that an Accept header asks for first, else the usual one."""
    for part in accept.split(","):
        wanted = _ACCEPTED.get(part.partition(";")[0].strip().lower())
        if wanted is not None:
            return Form.TWIML if wanted is Form.XML and usual is Form.TWIML else wanted
    return usual


def written(reply: Reply, form: Form) -> bytes:
    """Write a reply as JSON or XML; TwiML is for `apps.ivr.twiml`."""
    return orjson.dumps(reply) if form is Form.JSON else document(_xml(reply))


def document(root: etree._Element) -> bytes:
    """Write XML."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def in_words(reply: Reply) -> str:
    """Return what happens next, for people."""
    action = reply["action"]
    if action is None:
        return f"“{reply['message'][:120]}”"
    values = " ".join(f"{name} {value}" for name, value in action["parameters"].items())
    return f"{action['app']} {values}".strip()[:200]


def _xml(reply: Reply) -> etree._Element:
    """The XML that receivers answer with, the prompts of the next IVR beside it."""
    root = etree.Element("action")
    action = reply["action"]
    if action is None:
        add(root, "app", "message")
        add(add(root, "parameters"), "text", reply["message"])
        return root
    add(root, "app", action["app"])
    parameters = add(root, "parameters")
    for name, value in action["parameters"].items():
        add(parameters, name, value)
    if action["user_parameters"]:
        named = add(parameters, "user_parameters")
        for name, value in action["user_parameters"].items():
            add(named, name, value)
    if action["pass_through"]:
        add(parameters, "p_t", action["pass_through"])
    if ivr := reply.get("ivr"):
        prompts = add(root, "prompts")
        for question in ivr["questions"]:
            recorded = "1" if question["is_recorded"] else "0"
            number = str(question["number"])
            node = add(prompts, "question", number=number, recorded=recorded)
            add(node, "prompt", question["prompt"])
            add(node, "audio", question["audio"])
    return root
