"""A random partition of the users into parts as large as the clusters: the control of clustering.

Specialists of such parts cost what those of the clusters cost, and together they gain what several
models gain over one. What clusters are worth is what they gain beyond that.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_HASHES = float(1 << 63)


class RandomPartition:
    """Assigns users to parts by the hash of their id: the same part in every split.

    Args:
        sizes: positive numbers [K], what the parts' sizes are in proportion to.
    """

    def __init__(self, sizes: Sequence[int]) -> None:
        shares = np.cumsum(np.asarray(sizes, np.float64))
        self._bounds = shares[:-1] / shares[-1]

    def part(self, user_hash: int) -> int:
        """The part of a user.

        Args:
            user_hash: in [0, 2^63), see `fit_sample.user_hash`; of another seed than the one that
                drew the fit sample, whose users have the smallest hashes.
        """
        return int(np.searchsorted(self._bounds, user_hash / _HASHES, side="right"))
