"""Conditions as people read them: what is sent, and why a call was left out. Pure."""

from collections.abc import Sequence

from apps.campaigns.conditions import CallFacts, Condition, Group, Op, Rule, first_failing

NOTHING_CHANGED = "Nothing that it sends has changed."


def in_words(condition: Condition) -> str:
    """Return for which calls a condition holds: “Only answered calls of at least 1 min”."""
    if isinstance(condition, Group) and not condition.of:
        return "All calls"
    if isinstance(condition, Group) and condition.is_any:
        return "Only " + ", or ".join(_calls(part) for part in condition.of)
    return f"Only {_calls(condition)}"


def why_not(condition: Condition, facts: CallFacts) -> str:
    """Return why a condition does not hold of a call; "" where it does."""
    failing = first_failing(condition, facts)
    if failing is None:
        return ""
    if isinstance(failing, Group):
        return f"The conditions are: {_lower(in_words(failing))}."
    return _fault(failing, facts)


def turn_is_spent(hours: int) -> str:
    """Return why a caller who was told of within these hours is not told of again."""
    return f"This caller was told of less than {span(hours * 3600)} before."


def did_not_come(what: str, minutes: int) -> str:
    """Return why what was waited for in vain is not sent."""
    return f"The {what} did not come within {span(minutes * 60)}."


def span(seconds: int) -> str:
    """Return a time as people say it."""
    if seconds and seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    if seconds and seconds % 60 == 0:
        return f"{seconds // 60} min"
    if seconds > 60:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds} s"


def _calls(condition: Condition) -> str:
    """Return the calls that a condition is about: “answered calls of at least 1 min”."""
    parts = _parts(condition)
    before = [text for part in parts if (text := _adjective(part))]
    after = [_phrase(part) for part in parts if not _adjective(part)]
    joined = ", ".join(after)
    return f"{' '.join([*before, 'calls'])}{' ' if joined else ''}{joined}"


def _parts(condition: Condition) -> Sequence[Condition]:
    if isinstance(condition, Group) and not condition.is_any:
        return condition.of
    return (condition,)


def _adjective(condition: Condition) -> str:
    if isinstance(condition, Rule) and condition.field == "answered":
        return "answered" if condition.value else "unanswered"
    return ""


def _phrase(condition: Condition) -> str:
    if isinstance(condition, Group):
        glue = " or " if condition.is_any else " and "
        return f"({glue.join(_adjective(part) or _phrase(part) for part in condition.of)})"
    no = "not " if condition.op is Op.IS_NOT else ""
    match condition.field:
        case "duration_s":
            return f"of {_bound(condition)}"
        case "talk_s":
            return f"with {_bound(condition)} of talk"
        case "repeat_caller":
            return "of repeat callers" if condition.value else "of first-time callers"
        case "business_hours":
            return "in business hours" if condition.value else "outside business hours"
        case "tag":
            return f"{no}tagged {condition.name} = {_texts(condition)}"
        case "campaign":
            return f"{no}from the campaign {_texts(condition)}"
        case "area_code":
            return f"{no}from the area code {_texts(condition)}"
    return f"{no}from the source {_texts(condition)}"


def _bound(rule: Rule) -> str:
    seconds = rule.value if isinstance(rule.value, int) else 0
    return f"{'at least' if rule.op is Op.AT_LEAST else 'at most'} {span(seconds)}"


def _texts(rule: Rule) -> str:
    values = rule.value if isinstance(rule.value, tuple) else ()
    return " or ".join(values)


def _fault(rule: Rule, facts: CallFacts) -> str:
    match rule.field:
        case "duration_s" | "talk_s":
            actual: int | None = getattr(facts, rule.field)
            what = "It lasted" if rule.field == "duration_s" else "The talk lasted"
            if actual is None:
                return f"How long it was is not known; {_bound(rule)} is wanted."
            return f"{what} {span(actual)}; {_bound(rule)} is wanted."
        case "answered":
            if facts.answered is None:
                return "Whether it was answered is not known yet."
            return "It was not answered." if rule.value else "It was answered."
        case "repeat_caller":
            return "It is a first-time caller." if rule.value else "It is a repeat caller."
        case "business_hours":
            if facts.business_hours is None:
                return "The location has no business hours set up."
            return "It was outside business hours." if rule.value else "It was in business hours."
    return f"It is not {_phrase(rule)}." if rule.op is Op.IS else f"It is {_positive(rule)}."


def _positive(rule: Rule) -> str:
    return _phrase(Rule(rule.field, Op.IS, rule.value, rule.name))


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
