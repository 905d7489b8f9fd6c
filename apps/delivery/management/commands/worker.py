"""Run a worker that sends deliveries."""

import sys
from argparse import ArgumentParser
from typing import Any

import django_rq
import redis
from django.core.management.base import BaseCommand
from django.db import connections

from apps.common.checks import SETTINGS
from apps.common.heartbeat import start_beating
from apps.delivery.jobs import is_getting_on
from apps.delivery.wake import QUEUE, start_drain
from apps.delivery.worker import DeliveryWorker


class Command(BaseCommand):
    """Works the delivery queue until SIGTERM or SIGINT; needs a supervisor that restarts it."""

    help = "Send deliveries: work the delivery queue until told to stop."
    requires_system_checks = [SETTINGS]

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the options."""
        parser.add_argument("--burst", action="store_true", help="End when the queue is empty.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start with a drain, in case something is due already, and go on."""
        start_beating(is_getting_on)
        try:
            queue = django_rq.get_queue(QUEUE)
            start_drain(queue)
            connections.close_all()
            worker = DeliveryWorker([queue], connection=queue.connection)
            worker.work(burst=options["burst"], logging_level="WARNING")
        except redis.RedisError as error:
            self.stderr.write(f"Redis can not be reached: {error}")
            sys.exit(1)
