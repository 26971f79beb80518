"""Wall time, own processor time, and what other processes took of the same processors meanwhile.

A load from elsewhere does not slow all programs alike: PyTorch's OpenMP threads wait for each
other after every operation, so one thread that has to wait for a processor stops both, while
TensorFlow's threads take whatever work is left. A comparison under load is therefore worth
nothing, and this is how `throughput.py` notices.

Linux only; standard library only.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_BUSY = slice(1, 9)
"""Fields of a processor's line in /proc/stat, from user time to steal; idle and iowait between
them are taken off."""
_IDLE = slice(4, 6)


class Stopwatch:
    """Measures from `start` to `stop`.

    Attributes:
        seconds: wall time.
        cpu_seconds: processor time of this process, all threads.
        others_share: share, 0 to 1, of the processors it may use that went to others.
    """

    seconds = cpu_seconds = others_share = 0.0

    def start(self) -> None:
        """Notes where the clocks are."""
        self._processors = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        self._began = self._clocks()

    def stop(self) -> None:
        """Sets the attributes."""
        ended = self._clocks()
        self.seconds, self.cpu_seconds, busy = (
            end - begin for begin, end in zip(self._began, ended, strict=True)
        )
        others = max(0.0, busy - self.cpu_seconds)
        self.others_share = others / (self.seconds * len(self._processors))

    def figures(self) -> dict[str, float]:
        """The attributes by name."""
        return {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "others_share": self.others_share,
        }

    def _clocks(self) -> tuple[float, float, float]:
        busy = 0
        for line in Path("/proc/stat").read_text().splitlines():
            fields = line.split()
            if fields[0] in self._processors:
                busy += sum(map(int, fields[_BUSY])) - sum(map(int, fields[_IDLE]))
        return time.monotonic(), time.process_time(), busy / os.sysconf("SC_CLK_TCK")
