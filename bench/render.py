"""How long it takes to render a 10-field template, and to extract the largest sample.

All on one core, in the time of the clock; a figure is the median of many rounds. The ratios hold
a rendering against the plain serialisation of the same finished tree, which has nothing to look
up and nothing to convert.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import orjson
from lxml import etree

from apps.webhooks.extraction import MAX_BYTES, MAX_FIELDS, extract
from apps.webhooks.formats import Format
from apps.webhooks.rendering import compile_template
from apps.webhooks.suggestions import suggest
from apps.webhooks.suggestions.matching import matches_of
from apps.webhooks.suggestions.names import steps_of
from apps.webhooks.suggestions.shapes import shape_of
from apps.webhooks.tokens import EXAMPLE_SNAPSHOT, find_token
from bench.result import Result

FIELDS = {
    "call_id": "callid",
    "phone": "ani",
    "tracking_number": "tracking",
    "first_name": "ani_first_name",
    "last_name": "ani_last_name",
    "city": "ani_city",
    "started_at": "call_start_time",
    "duration": "dialed_time",
    "campaign": "campaign_name",
    "recording": "rec_audiourl",
}
_SUGGESTED_FIELDS = 300
_RENDERS_A_ROUND = 200


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this benchmark."""
    parser.add_argument("--rounds", type=int, default=300, help="rounds of 200 renderings each")


def measure(arguments: argparse.Namespace) -> Result:
    """Measure; void when a rendering is not what the call says."""
    wanted = {name: find_token(token).read(EXAMPLE_SNAPSHOT) for name, token in FIELDS.items()}
    json_template = compile_template(
        format=Format.JSON, sample=json.dumps(_placeholders(), indent=2)
    )
    xml_template = compile_template(format=Format.XML, sample=_xml_sample())
    rendered = json_template.render(EXAMPLE_SNAPSHOT), xml_template.render(EXAMPLE_SNAPSHOT)
    tree = etree.fromstring(rendered[1])
    rounds = arguments.rounds
    figures = {
        "json_us": _median_us(lambda: json_template.render(EXAMPLE_SNAPSHOT), rounds),
        "orjson_us": _median_us(lambda: orjson.dumps(wanted), rounds),
        "xml_us": _median_us(lambda: xml_template.render(EXAMPLE_SNAPSHOT), rounds),
        "lxml_us": _median_us(lambda: etree.tostring(tree), rounds),
        "extract_json_ms": _median_ms(lambda: extract(_large_json(), Format.JSON)),
        "extract_xml_ms": _median_ms(lambda: extract(_large_xml(), Format.XML)),
        "suggest_ms": _median_ms(_suggest_anew),
    }
    figures["json_ratio"] = figures["json_us"] / figures["orjson_us"]
    figures["xml_ratio"] = figures["xml_us"] / figures["lxml_us"]
    figures["extract_ms"] = max(figures["extract_json_ms"], figures["extract_xml_ms"])
    is_right = (
        orjson.loads(rendered[0]) == wanted
        and {each.tag: each.text for each in tree} == wanted
        and all(
            len(extract(text, form).fields) == MAX_FIELDS
            for text, form in ((_large_json(), Format.JSON), (_large_xml(), Format.XML))
        )
    )
    return Result(
        name="render",
        rows=[
            ("JSON, 10 fields", f"{figures['json_us']:8.2f} µs"),
            ("  against orjson.dumps", f"{figures['json_ratio']:8.2f} x"),
            ("XML, 10 fields", f"{figures['xml_us']:8.2f} µs"),
            ("  against lxml's tostring", f"{figures['xml_ratio']:8.2f} x"),
            ("Extract 5,000 JSON fields", f"{figures['extract_json_ms']:8.1f} ms"),
            ("Extract 5,000 XML fields", f"{figures['extract_xml_ms']:8.1f} ms"),
            ("Suggest for 300 new fields", f"{figures['suggest_ms']:8.1f} ms"),
        ],
        figures={name: round(figure, 3) for name, figure in figures.items()},
        void_because="" if is_right else "A rendering is not what the call says.",
    )


def _placeholders() -> dict[str, str]:
    return {name: f"%{token}%" for name, token in FIELDS.items()}


def _xml_sample() -> str:
    lines = "\n".join(f"  <{name}>{value}</{name}>" for name, value in _placeholders().items())
    return f'<?xml version="1.0"?>\n<lead>\n{lines}\n</lead>'


def _large_json() -> str:
    """A sample of exactly 256 KB and 5,000 fields, in objects of ten."""
    groups = {
        f"group_{group}": {f"field_{index}": "value" for index in range(10)}
        for group in range(MAX_FIELDS // 10)
    }
    text = json.dumps(groups)
    return text + " " * (MAX_BYTES - len(text))


def _large_xml() -> str:
    """A sample of exactly 256 KB and 5,000 fields, in elements of ten."""
    leaves = "".join(f"<field_{index}>value</field_{index}>" for index in range(10))
    groups = "".join(f"<g{group}>{leaves}</g{group}>" for group in range(MAX_FIELDS // 10))
    text = f"<root>{groups}</root>"
    return text + " " * (MAX_BYTES - len(text))


def _suggest_anew() -> None:
    """Suggest for 300 fields whose names were never seen: a third known, a third like those."""
    for cache in (matches_of, steps_of, shape_of):
        cache.cache_clear()
    tokens = list(FIELDS)
    names = [
        [f"{tokens[n % 10]}_{n}", f"customer_{tokens[n % 10]}{n}", f"unknown_thing_{n}"][n % 3]
        for n in range(_SUGGESTED_FIELDS)
    ]
    suggest(extract(json.dumps(dict.fromkeys(names, "value")), Format.JSON))


def _median_us(work: Callable[[], object], rounds: int) -> float:
    """The median over rounds of the mean time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(_RENDERS_A_ROUND):
            work()
        times.append((time.perf_counter_ns() - start) / _RENDERS_A_ROUND / 1_000)
    return statistics.median(times)


def _median_ms(work: Callable[[], object], rounds: int = 7) -> float:
    """The median time of one call, in milliseconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        work()
        times.append((time.perf_counter_ns() - start) / 1_000_000)
    return statistics.median(times)
