"""A recommender with a few of its signatures."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from trainer.serving.recommender import Recommender


def with_signatures(recommender: Recommender, *names: str) -> Any:
    """What `save_recommender` saves, but with these signatures only.

    Each of the seven is a graph that takes a second to be traced, saved and loaded.
    """
    functions = recommender.signatures()
    chosen = {name: functions[name] for name in names}
    return SimpleNamespace(transform=recommender.transform, signatures=lambda: chosen)
