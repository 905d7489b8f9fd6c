"""PostgreSQL and Redis together, over one data directory."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from apps.common.embedded.errors import DataDirectoryTakenError, EmbeddedServiceError
from apps.common.embedded.places import make_folder
from apps.common.embedded.postgres import PostgresServer
from apps.common.embedded.redis_server import RedisServer
from apps.common.embedded.service import Service


class EmbeddedServices:
    """Real services that live as long as the `with` block; the data in `data_dir` stays.

    `postgres=False` or `redis=False` leaves one out, `durable=False` trades safety against power
    loss for speed. One instance holds a data directory at a time. Start it from a thread that
    lives as long as the services do.
    """

    def __init__(
        self, data_dir: Path, *, postgres: bool = True, redis: bool = True, durable: bool = True
    ) -> None:
        self.data_dir = data_dir.absolute()
        self.postgres = (
            PostgresServer(self.data_dir / "postgres", durable=durable) if postgres else None
        )
        self.redis = RedisServer(self.data_dir / "redis") if redis else None
        self._lock: IO[str] | None = None

    @classmethod
    @contextmanager
    def temporary(
        cls, *, postgres: bool = True, redis: bool = True, durable: bool = False
    ) -> Iterator[Self]:
        """Run services for the length of a `with` block, and remove their data after it."""
        with tempfile.TemporaryDirectory(prefix="hookline-") as folder:
            services = cls(
                make_folder(Path(folder)), postgres=postgres, redis=redis, durable=durable
            )
            try:
                with services:
                    yield services
            finally:
                # It may be a link out of the folder.
                shutil.rmtree((services.data_dir / "postgres").resolve(), ignore_errors=True)

    @property
    def chosen(self) -> list[Service]:
        """The services that were not left out, in the order of their start."""
        return [each for each in (self.postgres, self.redis) if each is not None]

    @property
    def database_url(self) -> str:
        """The DATABASE_URL of the embedded PostgreSQL."""
        if self.postgres is None:
            raise EmbeddedServiceError("PostgreSQL was left out of these services.")
        return self.postgres.url()

    @property
    def redis_url(self) -> str:
        """The REDIS_URL of the embedded Redis."""
        if self.redis is None:
            raise EmbeddedServiceError("Redis was left out of these services.")
        return self.redis.url()

    def start(self) -> None:
        """Take the data directory and start; raises `EmbeddedServiceError`."""
        self._take_directory()
        try:
            for service in self.chosen:
                service.start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop what runs and release the data directory."""
        for service in reversed(self.chosen):
            service.stop()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _take_directory(self) -> None:
        """Lock the directory; the lock goes with this process, however it ends."""
        try:
            make_folder(self.data_dir)
            lock = open(self.data_dir / "lock", "a+")  # noqa: SIM115
        except OSError as error:
            raise EmbeddedServiceError(
                f"The data directory {self.data_dir} can not be used: {error}"
            ) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            lock.close()
            raise DataDirectoryTakenError(
                f"The data directory {self.data_dir} is in use by another running instance"
                f" (process {holder}). Stop that one, or choose another data directory."
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        self._lock = lock
