"""What a benchmark gives back, and how it is shown."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bench.machine import StolenTime

Figure = float | int | str | bool | None | Mapping[str, "Figure"]


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. `rows` are for people (what, how much); `figures` for programs.

    `void_because` says why the figures count for nothing; "" when they do count.
    """

    name: str
    rows: Sequence[tuple[str, str]]
    figures: Mapping[str, Figure]
    void_because: str = ""

    def beside(self, stolen: StolenTime) -> "Result":
        """Return the result with what the host took away meanwhile: it tells of a bad minute."""
        share, worst = stolen.percent, stolen.worst_percent
        row = ("Stolen by the host", f"{share:10.1f} % of the processors, {worst:.1f} at worst")
        figures = {"stolen_percent": share, "stolen_worst_percent": worst}
        return replace(self, rows=[*self.rows, row], figures={**self.figures, **figures})

    def table(self) -> str:
        """The rows as a small table under the name."""
        width = max((len(what) for what, _ in self.rows), default=0)
        lines = [f"{what:<{width}}  {figure}" for what, figure in self.rows]
        if self.void_because:
            lines.append(f"VOID: {self.void_because}")
        return "\n".join([self.name, *(f"  {line}" for line in lines)])

    def as_json(self) -> str:
        """The figures on one line, with the name and whether they are void."""
        return json.dumps({"name": self.name, "void": bool(self.void_because), **self.figures})
