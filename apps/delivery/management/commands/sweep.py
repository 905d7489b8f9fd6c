"""Run the periodic sweep."""

import logging
import signal
import threading
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection

from apps.common.checks import SETTINGS
from apps.common.heartbeat import start_beating
from apps.common.outages import DATABASE_OUTAGES, in_a_line
from apps.delivery.jobs import is_getting_on, stop_running_drain
from apps.delivery.sweep import Sweep

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Sweeps every SWEEP_INTERVAL_S seconds until SIGTERM or SIGINT."""

    help = "Find due deliveries that nobody is sending, every few seconds."
    requires_system_checks = [SETTINGS]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--once", action="store_true", help="Sweep one time and end.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Sweep, wait, sweep; a database that is away is waited for."""
        stopped = threading.Event()

        def stop(signum: int, frame: FrameType | None) -> None:
            stopped.set()
            stop_running_drain()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        sweep = Sweep()
        start_beating(lambda: sweep.is_getting_on() and is_getting_on())
        while True:
            try:
                sweep.run_once()
            except DATABASE_OUTAGES as error:
                if options["once"]:
                    raise
                logger.warning("The database is away: %s", in_a_line(error))
                connection.close()
            if options["once"] or stopped.wait(settings.SWEEP_INTERVAL_S):
                return
