"""Past calls of the demo, taken in as real ones are, so that lists have something to show."""

import datetime as dt

from apps.accounts.access import access_of_user
from apps.accounts.models import User
from apps.console.demo import world
from apps.console.demo.calls import simulate
from apps.intake.services import accept_events

_CALLS = 24
_SEED = 1984
_SPAN = dt.timedelta(days=3)


def make_history(*, now: dt.datetime) -> None:
    """Take in the calls of the last days; their webhooks are sent as soon as a worker runs."""
    owner = User.objects.get(email=world.PEOPLE[0].email)
    access = access_of_user(owner)
    calls = simulate(count=_CALLS, seed=_SEED, begin=now - _SPAN, spacing=_SPAN / (_CALLS + 1))
    for call in calls:
        for bodies in call.posts:
            accept_events(access=access, bodies=bodies)
