"""A random partition of the users into parts as large as the clusters: the control of clustering.

Specialists of such parts cost what those of the clusters cost, and together they gain what several
models gain over one. What clusters are worth is what they gain beyond that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.sequence_clusterer.sample.fit_sample import history_hash

_HASHES = float(1 << 63)


class RandomPartition:
    """Assigns users to parts by the hash of their id: the same part in every split.

    Args:
        sizes: positive numbers [K], what the parts' sizes are in proportion to.
        seed: of the clustering, whose fit sample is drawn by another hash.
    """

    def __init__(self, sizes: Sequence[int], seed: int) -> None:
        shares = np.cumsum(np.asarray(sizes, np.float64))
        self._bounds = shares[:-1] / shares[-1]
        self._seed = (seed + 1) % 2**32

    def part_of(self, record: bytes) -> int:
        """The part, in [0, K), of the user of a serialized history."""
        share = history_hash(record, self._seed) / _HASHES
        return int(np.searchsorted(self._bounds, share, side="right"))
