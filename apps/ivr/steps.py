"""The addresses at which Twilio fetches the documents of a dynamic find me.

All that a document is made of is in its address, signed: nothing is stored for it.
"""

from dataclasses import asdict
from typing import Final

from django.conf import settings
from django.core import signing
from django.urls import reverse

from apps.ivr.twiml import Moment, Step

_SALT: Final = "apps.ivr.steps"
# The longest that numbers are tried after each other in one call.
_MAX_AGE_S: Final = 3_600


def link_to(step: Step) -> str:
    """Return the address of a step."""
    text = signing.dumps(asdict(step), salt=_SALT, compress=True)
    return f"{settings.PUBLIC_URL}{reverse('ivr_step', args=[text])}"


def step_of(text: str) -> Step | None:
    """Return the step behind an address; None for one that is forged, or older than an hour."""
    try:
        fields = signing.loads(text, salt=_SALT, max_age=_MAX_AGE_S)
    except signing.BadSignature:
        return None
    return Step(**{**fields, "moment": Moment(fields["moment"])})
