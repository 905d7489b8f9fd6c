"""What a worker holds: claimed, and not yet recorded or given back."""

import asyncio

from apps.delivery.engine.claims import Claimed
from apps.delivery.engine.lanes import Lanes


class Hold:
    """Deliveries in lanes, under way, waiting to be recorded, and to be given back.

    `news` is set whenever something changes that the claimer waits for. Once `is_closing`, nothing
    more is begun.
    """

    def __init__(self) -> None:
        self.lanes = Lanes()
        self.count = 0
        self.is_closing = False
        self.news = asyncio.Event()
        self._unwanted: list[Claimed] = []

    def let_go(self, count: int) -> None:
        """Note that so many are recorded, or gone."""
        self.count -= count
        self.news.set()

    def refuse(self, *held: Claimed) -> None:
        """Put aside what is to be given back unsent."""
        self._unwanted += held
        self.news.set()

    def unwanted(self) -> list[Claimed]:
        """Take out what was put aside. It counts as held until it is let go."""
        unwanted, self._unwanted = self._unwanted, []
        return unwanted
