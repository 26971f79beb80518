"""What each stage of a run cost: wall time and peak memory.

All nodes run in this process, one after the other, so that the operating system's own peak would
only tell about the largest. Memory is therefore sampled all the time, and each sample belongs to
the node that ran at that moment according to ML Metadata.
"""

from __future__ import annotations

import bisect
import dataclasses
import threading
import time
from collections.abc import Iterable, Sequence

import psutil

from tfx_pipeline.local.metadata import NodeExecution, State

SAMPLING_SECONDS = 0.2


@dataclasses.dataclass(frozen=True)
class StageUsage:
    """What one node cost.

    Attributes:
        node: its id.
        state: "ran", or "cached" when the result is from an earlier run and cost nothing now.
        seconds: wall time; None from the cache.
        peak_bytes: largest resident memory while it ran, of the whole process tree; None from the
            cache, or when the node was too quick for a sample.
    """

    node: str
    state: State
    seconds: float | None
    peak_bytes: int | None


class MemorySampler:
    """Samples the resident memory of this process and its children while a block runs.

    Pages that children share with this process count for each of them, so that the sum is an upper
    bound where there are children.
    """

    def __init__(self, every: float = SAMPLING_SECONDS) -> None:
        """Prepares the thread.

        Args:
            every: seconds between two samples.
        """
        self._every = every
        self._process = psutil.Process()
        self._times: list[float] = []
        self._bytes: list[int] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._sample, name="memory", daemon=True)

    def __enter__(self) -> MemorySampler:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopped.set()
        self._thread.join()

    def peak(self, start: float = 0.0, end: float = float("inf")) -> int | None:
        """Largest sample in bytes with start <= time <= end (epoch seconds); None without one."""
        first = bisect.bisect_left(self._times, start)
        last = bisect.bisect_right(self._times, end)
        return max(self._bytes[first:last], default=None)

    def _sample(self) -> None:
        while True:
            self._bytes.append(_tree_bytes(self._process))
            self._times.append(time.time())
            if self._stopped.wait(self._every):
                return


def stage_usage(nodes: Iterable[NodeExecution], sampler: MemorySampler) -> list[StageUsage]:
    """What each node of a run cost, in the order in which they ran.

    Args:
        nodes: the executions of one run.
        sampler: ran while they did.
    """
    return [
        StageUsage(node.node, node.state, None, None)
        if node.state == "cached"
        else StageUsage(
            node.node,
            node.state,
            node.seconds,
            sampler.peak(node.started, node.started + node.seconds),
        )
        for node in sorted(nodes, key=lambda node: node.started)
    ]


def _tree_bytes(process: psutil.Process) -> int:
    total: int = process.memory_info().rss
    children: Sequence[psutil.Process] = process.children(recursive=True)
    for child in children:
        # A child may end between the listing and the question.
        try:
            total += child.memory_info().rss
        except psutil.Error:
            continue
    return total
