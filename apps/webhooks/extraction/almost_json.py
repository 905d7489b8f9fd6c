"""What people paste that is almost JSON, or something else, and what to do about it."""

import re
import unicodedata

_INVISIBLE = ("Zs", "Zl", "Zp", "Cf")
_STARTS = (
    (re.compile(r"//|/\*|#"), "JSON has no comments: delete this one."),
    (re.compile(r"\.\.\.|\u2026"), "These dots stand for something left out: delete them."),
    (
        re.compile("[\u201c\u201d\u201e\u2018\u2019]"),
        'This is a typographic quote: write plain double quotes, ".',
    ),
    (re.compile("'"), "JSON takes double quotes only."),
    (re.compile("%"), 'Put the token in double quotes, "%name%"; its type can be chosen later.'),
    (
        re.compile(r"\{|\$\{|<[A-Za-z][^<>/?=]*>(?!.*</)"),
        "Put the placeholder in double quotes; its type can be chosen later.",
    ),
    (re.compile(r"-?(?:NaN|Infinity)"), "NaN and Infinity are no JSON numbers."),
    (
        re.compile(r"True|False|None|undefined"),
        "JSON has only true, false and null, in lower case.",
    ),
    (re.compile(r"[-+]?\.[0-9]|\+[0-9]"), "A JSON number begins with a digit, or a - before it."),
    (re.compile(r"</?[A-Za-z?!]"), "This looks like XML: choose XML as the format."),
    (re.compile(r"```"), "This is a mark around the sample: paste only what is between."),
    (
        re.compile(r"curl |(?:POST|GET|PUT|PATCH) +[/h]|HTTP/"),
        "Paste only the body, without the command, request line and headers.",
    ),
    (re.compile(r";"), "Nothing may follow the end of the JSON value: delete the ;."),
    (
        re.compile(r"[A-Za-z_][\w.\[\]-]*=\S*&"),
        "This looks like a form or query: choose that as the format.",
    ),
    (re.compile(r"[A-Za-z_$][A-Za-z0-9_$-]*\s*:"), "A key stands in double quotes."),
)


def why_no_json(text: str, start: int) -> str | None:
    """What is wrong at a position of a text that is no JSON there; None for nothing usual."""
    character = text[start : start + 1]
    if character and unicodedata.category(character) in _INVISIBLE:
        return (
            f"This is no plain blank but U+{ord(character):04X}, as web pages have:"
            " delete it, or write a plain one."
        )
    return next((why for like, why in _STARTS if like.match(text, start)), None)
