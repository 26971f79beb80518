"""Published results on the public benchmarks, to stand beside ours.

All are test figures of next-item prediction with leave-one-out, the whole catalogue ranked, seen
items left out. SASRec's are as reported in the S3-Rec paper, the others as published by their
authors; WEARec's is the best run logged in its repository. What was not published is None.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

METRICS = ("hr@5", "hr@10", "hr@20", "ndcg@5", "ndcg@10", "ndcg@20")


@dataclass(frozen=True)
class PublishedRow:
    """One model's published test figures.

    Attributes:
        model: its name.
        values: figures in the order of `METRICS`.
    """

    model: str
    values: tuple[float | None, ...]

    def metrics(self) -> dict[str, float | None]:
        """Metric name to figure."""
        return dict(zip(METRICS, self.values, strict=True))


_ROWS: dict[str, tuple[PublishedRow, ...]] = {
    "beauty": (
        PublishedRow("SASRec", (0.0387, 0.0605, 0.0902, 0.0249, 0.0318, 0.0394)),
        PublishedRow("S3-Rec", (0.0387, 0.0647, 0.0994, 0.0244, 0.0327, 0.0414)),
        PublishedRow("ICLRec", (0.0500, 0.0744, 0.1058, 0.0326, 0.0403, 0.0483)),
        PublishedRow("ELCRec", (0.0529, None, 0.1079, 0.0355, None, 0.0509)),
        PublishedRow("BSARec", (0.0736, 0.1008, 0.1373, 0.0523, 0.0611, 0.0703)),
        PublishedRow("WEARec", (0.0738, 0.1041, 0.1391, 0.0516, 0.0614, 0.0703)),
    ),
    "toys": (
        PublishedRow("SASRec", (0.0463, 0.0675, 0.0941, 0.0306, 0.0374, 0.0441)),
        PublishedRow("ICLRec", (0.0598, 0.0834, 0.1138, 0.0404, 0.0480, 0.0557)),
        PublishedRow("ELCRec", (0.0585, None, 0.1138, 0.0403, None, 0.0560)),
        PublishedRow("BSARec", (0.0805, None, None, None, None, None)),
    ),
}


def published_rows(data_set: str) -> tuple[PublishedRow, ...]:
    """The rows of a data set.

    Args:
        data_set: a name, or the end of a path, that contains the data set's as a word ("Beauty",
            "amazon_toys/sequences.txt"); case does not matter.

    Returns:
        The rows, none for an unknown data set.
    """
    words = re.split(r"[^a-z]+", data_set.lower())
    return next((rows for name, rows in _ROWS.items() if name in words), ())
