"""`python -m bench NAME [options]` measures one thing, `python -m bench` all of them.

A benchmark is a module of this package with `add_arguments(parser)` and
`measure(arguments) -> Result`, named in `BENCHMARKS`. It is imported only when it runs, so that
one that needs services or Django does not slow the others down. A void result exits with 1.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module

from bench.processes import BenchmarkFailed
from bench.result import Result

# Name and what it measures, in the order in which all are run.
BENCHMARKS = {
    "render": "templates rendered and samples extracted, on one core",
    "throughput": "deliveries that one worker sends in a second",
    "latency": "from the moment a delivery is planned to its first byte at the receiver",
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
    common = ["--json"] if parser.parse_args(argv).json else []
    # Each in a process of its own, so that none inherits another's memory or settings.
    return max(
        subprocess.run([sys.executable, "-m", "bench", name, *common], check=False).returncode
        for name in BENCHMARKS
    )


def _run(name: str, argv: Sequence[str]) -> int:
    module = import_module(f"bench.{name}")
    parser = argparse.ArgumentParser(prog=f"python -m bench {name}", description=module.__doc__)
    parser.add_argument("--json", action="store_true", help="end with one line of JSON")
    module.add_arguments(parser)
    arguments = parser.parse_args(argv)
    try:
        result = module.measure(arguments)
    except BenchmarkFailed as failure:
        result = Result(name, rows=[], figures={}, void_because=str(failure))
    print(result.table(), flush=True)
    if arguments.json:
        print(result.as_json(), flush=True)
    return 1 if result.void_because else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
