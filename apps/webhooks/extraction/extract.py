"""The one way in: a pasted text and its format give a sample, or a SampleError."""

import re

from apps.webhooks.extraction.json_sample import extract_json
from apps.webhooks.extraction.pairs_sample import extract_pairs
from apps.webhooks.extraction.sample import MAX_BYTES, Sample, SampleError
from apps.webhooks.extraction.xml_sample import extract_xml
from apps.webhooks.formats import Format

_UNUSABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")


def extract(text: str, format: Format) -> Sample:  # noqa: A002 - the word of the domain
    """Find the fields of a pasted sample.

    Raises SampleError, and nothing else, for any text that is not a usable sample of the format:
    over 256 KB, 64 levels or 5,000 fields, invalid, or ambiguous.
    """
    text = text.removeprefix("\ufeff")
    if unusable := _UNUSABLE.search(text):
        message = f"Character U+{ord(unusable[0]):04X} is not allowed in a sample."
        raise SampleError.at(message, text, unusable.start())
    if len(text) > MAX_BYTES or len(text.encode()) > MAX_BYTES:
        raise SampleError.at(f"The sample is over {MAX_BYTES // 1024} KB.", text, 0)
    if not text.strip():
        raise SampleError.at("The sample is empty.", text, 0)
    wanted = Format(format)
    match wanted:
        case Format.JSON:
            return extract_json(text)
        case Format.XML:
            return extract_xml(text)
    return extract_pairs(text, wanted)
