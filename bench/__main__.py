"""`python -m bench NAME [options]` measures one thing, `python -m bench` all of them.

A benchmark is a module of this package with `add_arguments(parser)` and
`measure(arguments) -> Result`, named in `BENCHMARKS`. It is imported only when it runs, so that
one that needs services or Django does not slow the others down. A void result exits with 1.
"""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bench.machine import StolenTime
from bench.processes import BenchmarkFailed
from bench.report import run_all
from bench.result import Result

# Name and what it measures.
BENCHMARKS = {
    "render": "templates rendered and samples extracted, on one core",
    "throughput": "deliveries that one worker sends in a second",
    "ivr": "what Hookline adds to a receiver's own time while a caller waits",
    "latency": "from the moment a delivery is planned to its first byte at the receiver",
    "fairness": "whether those with little to send wait for those with much, or who hang",
    "growth": "whether sending slows down as its history grows",
    "lists": "how quickly the API lists and counts with a long history",
    "intake": "events that one web process takes in, in a second",
    "chaos": "whether anything is lost when workers are killed and Redis is wiped",
}


def main(argv: Sequence[str]) -> int:
    """Measure what the command line names; return the exit status."""
    if argv and argv[0] in BENCHMARKS:
        return _run(argv[0], argv[1:])
    names = "\n".join(f"  {name:<12}{what}" for name, what in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        usage="%(prog)s [NAME] [--json] [options of NAME]",
        description=f"Measure this machine; without a name, everything:\n\n{names}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--json", action="store_true", help="end each with one line of JSON")
    parser.add_argument("--write", type=Path, metavar="FILE", help="keep what is found in a page")
    arguments = parser.parse_args(argv)
    return run_all(arguments.write, with_json=arguments.json)


def _run(name: str, argv: Sequence[str]) -> int:
    module = import_module(f"bench.{name}")
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}", description=module.__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    module.add_arguments(parser)
    arguments = parser.parse_args(argv)
    with StolenTime() as stolen:
        try:
            result = module.measure(arguments)
        except BenchmarkFailed as failure:
            result = Result(name, rows=[], figures={}, void_because=str(failure))
    result = result.beside(stolen)
    print(result.table(), flush=True)
    if arguments.json:
        print(result.as_json(), flush=True)
    return 1 if result.void_because else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
