"""Extraction: from a pasted sample to its tree and its fields."""

from apps.webhooks.extraction.extract import extract
from apps.webhooks.extraction.sample import (
    MAX_BYTES,
    MAX_DEPTH,
    MAX_FIELDS,
    Field,
    FieldType,
    Sample,
    SampleError,
)

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_FIELDS",
    "Field",
    "FieldType",
    "Sample",
    "SampleError",
    "extract",
]
