"""Gives memory back between the trainings of one process.

A local run trains one model after the other in the same process. Keras keeps what it needs to name
and resume them all, and the C library keeps freed pages for later; together, each specialist
would make the process a few hundred megabytes larger.
"""

from __future__ import annotations

import ctypes
import gc
import sys

import keras


def release_memory() -> None:
    """Forgets models that nobody holds any more and returns free pages to the system.

    Models that are still referred to stay usable.
    """
    keras.utils.clear_session(free_memory=False)  # what it would do is done below, once
    gc.collect()
    if sys.platform == "linux":
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc has it, musl does not
        if trim is not None:
            trim(0)
