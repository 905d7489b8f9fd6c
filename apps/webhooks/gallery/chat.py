"""Slack and Microsoft Teams: a message in a channel for each call."""

from typing import Any

from apps.webhooks.formats import Format
from apps.webhooks.gallery.checks import JsonChecker, is_one_of, is_text, is_text_of
from apps.webhooks.gallery.entry import Blank, Entry, Fill, step
from apps.webhooks.mapping import Problem

_LONGEST_SLACK_TEXT = 40_000
_MOST_TEAMS_BYTES = 28_000
_CARD_TYPE = "application/vnd.microsoft.card.adaptive"
_FACTS = (
    ("Caller", "%ani_full_name%", "Unknown"),
    ("Number", "%ani%", "Unknown"),
    ("Location", "%location_name%", "Unknown"),
    ("Campaign", "%campaign_name%", "None"),
    ("Outcome", "%dialstatus%", "In progress"),
    ("Talk time, seconds", "%answered_time%", "0"),
)


def find_slack_problems(payload: bytes) -> list[Problem]:
    """Judge a message for an incoming webhook; no text of a call may act as markup."""
    message = JsonChecker(payload)
    if message.problems:
        return message.problems
    message.need(
        "$.text",
        is_text_of(_LONGEST_SLACK_TEXT),
        f"text of at most {_LONGEST_SLACK_TEXT:,} characters",
    )
    text = message.at("$.text")
    if isinstance(text, str) and ("<!" in text or "<@" in text):
        message.note("$.text", "This would notify people: write & < > as text (the step escape).")
    return message.problems


def find_teams_problems(payload: bytes) -> list[Problem]:
    """Judge a message with one adaptive card."""
    message = JsonChecker(payload)
    if message.problems:
        return message.problems
    if len(payload) > _MOST_TEAMS_BYTES:
        message.note("$", f"Teams takes at most {_MOST_TEAMS_BYTES:,} bytes.")
    message.need("$.type", is_one_of("message"), '"message"')
    message.need("$.attachments", _is_filled_list, "a list with a card")
    card = "$.attachments[0]"
    message.need(f"{card}.contentType", is_one_of(_CARD_TYPE), _CARD_TYPE)
    message.need(f"{card}.content.type", is_one_of("AdaptiveCard"), '"AdaptiveCard"')
    message.need(f"{card}.content.version", is_text, "the version of the schema, as 1.4")
    message.need(f"{card}.content.body", _is_filled_list, "a list of elements")
    for index, element in enumerate(message.items(f"{card}.content.body")):
        _judge_element(message, f"{card}.content.body[{index}]", element)
    return message.problems


def _judge_element(message: JsonChecker, path: str, element: Any) -> None:
    message.need(f"{path}.type", is_text, "the type of the element")
    match element:
        case {"type": "TextBlock"}:
            message.need(f"{path}.text", is_text, "text")
        case {"type": "FactSet", "facts": [*facts]}:
            for index in range(len(facts)):
                message.need(f"{path}.facts[{index}].title", is_text, "text")
                message.need(f"{path}.facts[{index}].value", is_text, "text")
        case {"type": "FactSet"}:
            message.note(path, "A FactSet needs a list of facts.")


def _is_filled_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value)


def _card() -> str:
    facts = ",\n".join(
        f'              {{"title": "{title}", "value": "{token}"}}' for title, token, _ in _FACTS
    )
    return f"""{{
  "type": "message",
  "attachments": [
    {{
      "contentType": "{_CARD_TYPE}",
      "contentUrl": null,
      "content": {{
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
          {{
            "type": "TextBlock",
            "text": "%call_summary%",
            "weight": "bolder",
            "wrap": true
          }},
          {{
            "type": "FactSet",
            "facts": [
{facts}
            ]
          }}
        ]
      }}
    }}
  ]
}}"""


SLACK = Entry(
    key="slack_message",
    name="Slack message",
    purpose="A message in a Slack channel for each call.",
    format=Format.JSON,
    sample='{"text": "%call_summary%"}',
    fills={
        # Escaping makes a character five at most.
        "$.text": Fill((step("truncate", length=3_000), step("escape")), default="A call.")
    },
    rules=find_slack_problems,
    url="https://hooks.slack.com/services/YOUR/WEBHOOK/PATH",
    blanks=(
        Blank(
            "YOUR/WEBHOOK/PATH",
            "Address of the incoming webhook",
            "Slack > Apps > Incoming Webhooks > Add to Slack; replace the whole URL",
        ),
    ),
    notes=(
        "Keep the step that writes & < > as text: without it a caller's name could notify"
        " everybody in the channel.",
    ),
)

_BODY = "$.attachments[0].content.body"
TEAMS = Entry(
    key="teams_message",
    name="Microsoft Teams message",
    purpose="A card in a Teams channel for each call.",
    format=Format.JSON,
    sample=_card(),
    fills={
        f"{_BODY}[0].text": Fill((step("truncate", length=1_000),), default="A call."),
        **{
            f"{_BODY}[1].facts[{index}].value": Fill(
                (step("truncate", length=200),), default=default
            )
            for index, (_, _, default) in enumerate(_FACTS)
        },
    },
    rules=find_teams_problems,
    url="https://YOUR-WORKFLOW-ADDRESS",
    blanks=(
        Blank(
            "YOUR-WORKFLOW-ADDRESS",
            "Address of the workflow",
            "Teams > the channel > Workflows > Post to a channel when a webhook request is"
            " received; replace the whole URL",
        ),
    ),
    notes=("Teams answers 202; that is among the usual success codes.",),
)
