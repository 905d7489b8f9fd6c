"""The exact count: what was planned against what the receiver got and what the database says."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field

from django.db.models import QuerySet

from apps.common.ids import encode_public_id
from apps.delivery.models import Delivery, DeliveryState
from bench.receiver import Arrival


@dataclass(frozen=True, slots=True)
class Ledger:
    """Deliveries by what became of them.

    `received` were taken by the receiver at least once, `doubled` more than once. `failed` and
    `pending` are counted where the receiver has nothing: so planned = received + failed + pending
    + lost, and `lost` are those that nobody has. `succeeded` is what the database says.
    """

    planned: int
    received: int
    succeeded: int
    failed: int
    pending: int
    lost: int
    doubled: int
    faults: tuple[str, ...] = field(default=(), compare=False)

    @property
    def void_because(self) -> str:
        """Say why a run with this ledger counts for nothing; "" if it does count."""
        return " ".join(self.faults)

    def figures(self) -> dict[str, int]:
        """Return the counts by name."""
        plain = asdict(self)
        del plain["faults"]
        return plain

    def rows(self) -> list[tuple[str, str]]:
        """Return the counts for people."""
        return [("Ledger", ", ".join(f"{name} {n:,}" for name, n in self.figures().items()))]


def together(ledgers: Sequence[Ledger]) -> Ledger:
    """Return several ledgers, of different deliveries, as one."""
    counts: Counter[str] = Counter()
    for ledger in ledgers:
        counts.update(ledger.figures())
    faults = tuple(fault for ledger in ledgers for fault in ledger.faults)
    return Ledger(**{name: counts[name] for name in ledgers[0].figures()}, faults=faults)


def settle(
    deliveries: QuerySet[Delivery], arrivals: Mapping[str, Arrival], *, planned: int
) -> Ledger:
    """Compare what was planned with what arrived, id by id; `faults` says what does not fit."""
    states = {
        encode_public_id(Delivery.ID_PREFIX, key): state
        for key, state in deliveries.values_list("pk", "state").iterator()
    }
    taken = {key for key, arrival in arrivals.items() if arrival.accepted}
    absent = [state for key, state in states.items() if key not in taken]
    failed = sum(state in (DeliveryState.FAILED, DeliveryState.EXPIRED) for state in absent)
    pending = sum(state in DeliveryState.unfinished() for state in absent)
    received = len(taken & states.keys())
    ledger = Ledger(
        planned=planned,
        received=received,
        succeeded=sum(state == DeliveryState.SUCCEEDED for state in states.values()),
        failed=failed,
        pending=pending,
        lost=planned - received - failed - pending,
        doubled=sum(arrivals[key].accepted > 1 for key in taken & states.keys()),
    )
    faults = []
    if len(states) != planned:
        faults.append(f"{planned:,} were planned, the database has {len(states):,}.")
    if strangers := taken - states.keys():
        faults.append(f"{len(strangers):,} arrived that were never planned.")
    if ledger.lost:
        faults.append(f"{ledger.lost:,} were lost.")
    return Ledger(**ledger.figures(), faults=tuple(faults))
