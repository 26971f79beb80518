"""Progress of a run on the terminal: a line per component, the Trainers' epochs, time left.

The local runner of TFX announces its steps in the log of absl, and the Trainers write to the
logger "cohortrec.progress". Both are listened to here; no other record reaches the terminal.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping

from absl import logging as absl_logging

from tfx_pipeline.terminal.console import Console

TRAINER_LOGGER = "cohortrec.progress"
ANNOUNCED_AFTER_SECONDS = 3.0


class RunProgress:
    """Turns the log records of a run into progress lines."""

    def __init__(
        self,
        console: Console,
        nodes: Collection[str],
        last_seconds: Mapping[str, float],
        always_run: Collection[str] = (),
    ) -> None:
        """Prepares the display of one run.

        Args:
            console: where the lines go.
            nodes: ids of the nodes that will run.
            last_seconds: what nodes took in earlier runs of the same directory; the basis of the
                time left.
            always_run: nodes that never come from the cache.
        """
        self._console = console
        self._waiting = list(nodes)
        self._total = len(self._waiting)
        self._last_seconds = last_seconds
        self._always_run = always_run
        self._started = 0.0
        self._cached = False
        self._worked = False
        self.current: str | None = None
        self._announced = False
        self._announcement: threading.Timer | None = None
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def shown(self) -> Iterator[RunProgress]:
        """Listens to the loggers for as long as the block lasts."""
        runner = (absl_logging.get_absl_logger(), _Listener(self._on_runner))
        trainer = (logging.getLogger(TRAINER_LOGGER), _Listener(self._on_trainer))
        # Not the logger's level: TensorFlow saves and restores absl's own verbosity.
        verbosity = absl_logging.get_verbosity()
        absl_logging.set_verbosity(absl_logging.INFO)
        trainer[0].setLevel(logging.INFO)
        for logger, listener in (runner, trainer):
            logger.addHandler(listener)
        try:
            yield self
        finally:
            self._cancel_announcement()
            for logger, listener in (runner, trainer):
                logger.removeHandler(listener)
            absl_logging.set_verbosity(verbosity)

    def _on_runner(self, record: logging.LogRecord) -> None:
        if record.msg == "Component %s is running.":
            self._start(str(record.args[0]))  # type: ignore[index]
        elif record.msg == "Component %s is finished.":
            self._finish()
        elif record.msg == "A cached execution %d is used.":
            self._cached = True

    def _on_trainer(self, record: logging.LogRecord) -> None:
        self._announce()
        self._console.line(f"        {record.getMessage()}")

    def _start(self, node: str) -> None:
        self.current = node
        self._cached = False
        self._announced = False
        self._started = time.monotonic()
        self._announcement = threading.Timer(ANNOUNCED_AFTER_SECONDS, self._announce)
        self._announcement.daemon = True
        self._announcement.start()

    def _announce(self) -> None:
        """Says once what is being worked on; nodes that finish at once need no such line."""
        with self._lock:
            if self.current is not None and not self._announced:
                self._announced = True
                self._console.line(f"{self._position()}  {self.current} …", style="dim")

    def _cancel_announcement(self) -> None:
        if self._announcement is not None:
            self._announcement.cancel()

    def _finish(self) -> None:
        self._cancel_announcement()
        with self._lock:
            node, self.current = self.current, None
        if node is None:
            return
        outcome = "from cache" if self._cached else duration(time.monotonic() - self._started)
        line = f"{self._position()}  {node:<20} {outcome}"
        if node in self._waiting:
            self._waiting.remove(node)
        # What runs every time tells nothing about what is to come.
        self._worked |= not self._cached and node not in self._always_run
        left = self._seconds_left()
        self._console.line(f"{line:<42} about {duration(left)} left" if left > 2 else line)

    def _position(self) -> str:
        number = self._total - len(self._waiting) + 1
        return f"[{number:>2}/{self._total}]"

    def _seconds_left(self) -> float:
        """From earlier runs; 0 when a node never ran or all may still come from the cache."""
        if not self._worked or not all(node in self._last_seconds for node in self._waiting):
            return 0.0
        return sum(self._last_seconds[node] for node in self._waiting)


class _Listener(logging.Handler):
    """Hands every record to a function."""

    def __init__(self, receive: Callable[[logging.LogRecord], None]) -> None:
        super().__init__(logging.INFO)
        self._receive = receive

    def emit(self, record: logging.LogRecord) -> None:
        self._receive(record)


def duration(seconds: float) -> str:
    """Seconds as a person says them: "0.4 s", "12 s", "3 min 20 s", "1 h 05 min"."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
