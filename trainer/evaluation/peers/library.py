"""Which library a peer needs, and what to do where it is missing."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable

from trainer.evaluation.compared_models import ALS, BPR
from trainer.settings import ConfigError

LIBRARY = "implicit"
"""Alternating least squares and BPR in C++; the extra `peers` of the package installs it."""
_NEED_IT = (ALS, BPR)


def check_library(peers: Iterable[str]) -> None:
    """Says what to install before anything is trained.

    Args:
        peers: the value of `combiner.peers`.

    Raises:
        ConfigError: a peer needs a library that is not installed.
    """
    needing = [peer for peer in peers if peer in _NEED_IT]
    if needing and importlib.util.find_spec(LIBRARY) is None:
        one = len(needing) == 1
        named = f"{' and '.join(needing)} need{'s' if one else ''}"
        meant = "it" if one else "them"
        raise ConfigError(
            f"setting 'combiner.peers': {named} the library {LIBRARY}, which is not installed; "
            f"install it with pip install 'cohortrec[peers]', or leave {meant} out"
        )
