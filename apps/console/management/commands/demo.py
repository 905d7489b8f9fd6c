"""`manage.py demo`: the whole product at work, without a human, with a balance at the end."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.common.embedded import EmbeddedServiceError, EmbeddedServices
from apps.common.supervisor import StopSignals, Supervisor
from apps.console.demo.run import Demo, DemoFailed, Plan, Report

_DEFAULTS = Plan()


class Command(BaseCommand):
    """Simulates calls, delivers their webhooks to a receiver, and counts what arrived.

    Runs on temporary services and leaves nothing behind. Exits with 0 only if everything that was
    planned arrived as it should.
    """

    help = "Simulate calls on temporary services, deliver them, and check that none was lost."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--calls", type=int, default=_DEFAULTS.calls, help="(%(default)s)")
        parser.add_argument(
            "--seconds",
            type=float,
            default=_DEFAULTS.seconds,
            help="the most it takes (%(default)s)",
        )
        parser.add_argument(
            "--seed", type=int, default=_DEFAULTS.seed, help="other calls (%(default)s)"
        )
        parser.add_argument("--kill-worker", action="store_true", help="SIGKILL it in the middle")
        parser.add_argument("--flush-redis", action="store_true", help="FLUSHALL in the middle")
        parser.add_argument("--quiet", action="store_true", help="no line for calls and deliveries")
        parser.add_argument("--json", action="store_true", help="print the balance as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the demo and print its balance; raises CommandError unless it is even."""
        plan = Plan(
            calls=options["calls"],
            seconds=options["seconds"],
            seed=options["seed"],
            kill_worker=options["kill_worker"],
            flush_redis=options["flush_redis"],
            is_quiet=options["quiet"],
        )
        out = sys.stderr if options["json"] else sys.stdout
        try:
            with (
                StopSignals() as signals,
                EmbeddedServices.temporary() as services,
                Supervisor(signals, out, name="demo") as supervisor,
            ):
                report = Demo(plan, services, supervisor).run()
        except (EmbeddedServiceError, DemoFailed) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            json.dumps(report.as_plain()) if options["json"] else _table(report, plan)
        )
        if not report.balance.is_even:
            raise CommandError("The demo does not balance:\n" + "\n".join(report.balance.faults))


def _table(report: Report, plan: Plan) -> str:
    balance = report.balance
    lines = [
        "",
        f"{report.calls} calls in {report.seconds:.1f} s",
        "",
        f"  planned    {balance.planned:>6}  webhooks that the calls must cause",
        f"  received   {balance.received:>6}  arrived at the receiver, signed and readable",
        f"  succeeded  {balance.succeeded:>6}",
        f"  retried    {balance.retried:>6}  took more than one try",
        f"  failed     {balance.failed:>6}",
        f"  lost       {balance.lost:>6}",
        f"  duplicates {balance.duplicates:>6}  arrived again with the same id",
    ]
    if report.claimed_at_kill is not None:
        lines.append(f"  The worker was killed while busy with {report.claimed_at_kill}.")
    if report.resumed_after_s is not None:
        lines.append(f"  After FLUSHALL, sending went on within {report.resumed_after_s:.1f} s.")
    return "\n".join([*lines, ""])
