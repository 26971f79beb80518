"""Peak memory of the process tree, by time."""

import subprocess
import sys
import time

import numpy as np
import pytest

from tfx_pipeline.local.metadata import NodeExecution
from tfx_pipeline.local.resources import MemorySampler, stage_usage

MEGABYTE = 1_000_000


def _execution(number, node, state, started, seconds):
    return NodeExecution(number, node, state, started, seconds, {})


def test_memory_belongs_to_the_node_that_ran_then():
    with MemorySampler(every=0.02) as memory:
        first = time.time()
        time.sleep(0.2)
        second = time.time()
        block = np.ones(25_000_000)
        time.sleep(0.2)
        third = time.time()
        del block
        time.sleep(0.2)
    nodes = [
        _execution(3, "late", "ran", second, third - second),
        _execution(1, "early", "ran", first, second - first - 0.05),
        _execution(2, "known", "cached", second, 0.01),
        _execution(4, "quick", "ran", third + 60, 0.01),
    ]
    early, late, known, quick = (
        {stage.node: stage for stage in stage_usage(nodes, memory)}[name]
        for name in ("early", "late", "known", "quick")
    )
    # Nearly: other threads of this process give memory back meanwhile.
    assert late.peak_bytes - early.peak_bytes == pytest.approx(200 * MEGABYTE, rel=0.3)
    assert late.seconds == third - second
    assert (known.state, known.seconds, known.peak_bytes) == ("cached", None, None)
    assert quick.peak_bytes is None
    assert memory.peak() == late.peak_bytes
    assert [stage.node for stage in stage_usage(nodes[:2], memory)] == ["early", "late"]


def test_children_count():
    program = "x = bytearray(150_000_000); x[::4096] = b'1' * len(x[::4096]); print(1); input()"
    with MemorySampler(every=0.02) as memory:
        time.sleep(0.1)
        alone = memory.peak()
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as child:
            child.stdout.readline()
            time.sleep(0.1)
            child.communicate(b"\n")
    assert memory.peak() - alone > 100 * MEGABYTE
