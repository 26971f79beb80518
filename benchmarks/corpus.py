"""The training part of a sequence file, read the same way for both sides of `throughput.py`.

Standard library only: the reference runs in an environment that has PyTorch and nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HELD_OUT = 2
"""Items at the end of each user's line that are not trained on: validation and test."""


@dataclass(frozen=True)
class Corpus:
    """What is trained on.

    Attributes:
        histories: one list of item indices per user, oldest first.
        items: catalogue size V; indices 1 … V by falling frequency, 0 is padding.
    """

    histories: list[list[int]]
    items: int

    def samples(self, limit: int) -> Iterator[tuple[list[int], int]]:
        """Every prefix of at least one item, cut to its latest `limit` items, and what follows."""
        for history in self.histories:
            for end in range(1, len(history)):
                yield history[max(0, end - limit) : end], history[end]


def read_corpus(path: Path) -> Corpus:
    """Reads `user item1 item2 …` lines, oldest item first, without the items held out.

    Raises:
        ValueError: no user has two items left.
    """
    with path.open(encoding="utf-8") as file:
        rows = [line.split()[1:-HELD_OUT] for line in file if line.strip()]
    counts = Counter(item for row in rows for item in row)
    index = {item: place for place, (item, _) in enumerate(counts.most_common(), 1)}
    if not any(len(row) > 1 for row in rows):
        raise ValueError(
            f"{path}: no line has a user and {HELD_OUT + 2} items or more, so nothing is left to "
            "train on; give a file of lines 'user item1 item2 …'"
        )
    return Corpus([[index[item] for item in row] for row in rows], len(index))
