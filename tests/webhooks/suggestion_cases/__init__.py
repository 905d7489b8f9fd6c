"""Places as real systems name them, a value as their samples have it, and the token that belongs.

None: no token belongs there, and none may be selected beforehand.
"""

from tests.webhooks.suggestion_cases.receivers import RECEIVERS
from tests.webhooks.suggestion_cases.systems import SYSTEMS
from tests.webhooks.suggestion_cases.trades import TRADES
from tests.webhooks.suggestion_cases.wordings import WORDINGS

CASES = [*SYSTEMS, *WORDINGS, *TRADES, *RECEIVERS]
