"""Elements of the XML that a phone platform is answered in. Pure."""

import re

from lxml import etree

from apps.webhooks.rendering.xml_body import INVALID

_INVALID = re.compile(f"[{INVALID}]")


def add(parent: etree._Element, name: str, text: str = "", **attributes: str) -> etree._Element:
    """Add an element and return it; characters that XML can not hold are left out of its text."""
    node = etree.SubElement(parent, name, attributes)
    if text:
        node.text = _INVALID.sub("", text)
    return node
