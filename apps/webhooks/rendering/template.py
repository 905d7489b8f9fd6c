"""Templates: compiled once per version, rendered once per delivery."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from apps.webhooks.extraction import Sample, extract
from apps.webhooks.extraction.trees import XmlDocument
from apps.webhooks.formats import Format
from apps.webhooks.mapping import Mapping, auto_map, check
from apps.webhooks.rendering.changes import narrowed
from apps.webhooks.rendering.json_body import compile_json
from apps.webhooks.rendering.pairs_body import compile_pairs
from apps.webhooks.rendering.segments import Writer
from apps.webhooks.rendering.xml_body import compile_xml
from apps.webhooks.tokens import Snapshot


@dataclass(frozen=True, slots=True)
class CompiledTemplate:
    """A template ready to render; `tokens` are the names that it reads.

    `content_type` is None for the format query, whose rendering belongs behind the URL.
    """

    format: Format
    tokens: frozenset[str]
    _write: Writer
    _sample: Sample
    mapping: Mapping

    @property
    def content_type(self) -> str | None:
        return self.format.content_type

    def render(self, snapshot: Snapshot) -> bytes:
        """The payload for a call, in UTF-8. Takes any snapshot and never raises."""
        return self._write(snapshot)

    def only(self, paths: Iterable[str]) -> "CompiledTemplate":
        """The same template without the mapped places that are not among these paths.

        Fixed values stay, as they are the receiver's form, and so does the id of the call.
        """
        return replace(self, _write=_writer(self._sample, narrowed(self.mapping, paths)))


def compile_template(
    *,
    format: Format,  # noqa: A002 - the word of the domain
    sample: str | Sample,
    mapping: Mapping | None = None,
) -> CompiledTemplate:
    """Compile a sample and its mapping; without one, the mapping that the sample brings along.

    A sample that is extracted already has its format, whatever `format` says.

    Raises SampleError for an unusable sample and MappingError for a mapping that does not fit it.
    """
    extracted = sample if isinstance(sample, Sample) else extract(sample, format)
    fitted = auto_map(extracted) if mapping is None else mapping
    check(fitted, extracted)
    return CompiledTemplate(
        extracted.format, fitted.tokens, _writer(extracted, fitted), extracted, fitted
    )


def _writer(sample: Sample, mapping: Mapping) -> Writer:
    tree = sample.tree
    if isinstance(tree, XmlDocument):
        return compile_xml(tree, mapping)
    if isinstance(tree, tuple):
        return compile_pairs(tree, mapping, sample.format)
    return compile_json(tree, mapping)
