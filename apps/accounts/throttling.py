"""How often somebody may try to log in as the same person."""

from hashlib import sha256
from typing import Final

from django.core.exceptions import ValidationError

from apps.common.api.rate_limits import spend

# NIST SP 800-63B allows 100 tries in all. So many in each window leave a guesser 1,920 a day, and
# a person who has forgotten their password as many as they will want.
MOST_TRIES: Final = 20
WINDOW_S: Final = 15 * 60


def check_login_rate(*, email: str) -> None:
    """Count a try to log in; raise ValidationError if there were too many of late.

    Whether anybody has this e-mail does not matter, so the answer tells nothing. The right password
    is refused, too: else it would show. Without Redis nothing is counted.
    """
    person = sha256(email.strip().lower().encode()).hexdigest()
    quota = spend(f"login:{person}", MOST_TRIES, window_s=WINDOW_S)
    if quota is not None and quota.left < 0:
        minutes = -(-quota.reset_s // 60)
        raise ValidationError(
            f"Too many tries. Wait {minutes} minute{'s' if minutes > 1 else ''}, or ask for a link"
            " to set a new password.",
            code="throttled",
        )
