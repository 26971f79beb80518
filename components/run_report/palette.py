"""Colours that readers with any common colour vision can tell apart (Okabe & Ito; Tol, muted).

Colour never stands alone: the charts label what they colour.
"""

from __future__ import annotations

NOISE_COLOUR = "#b4b4b4"

_CLUSTERS = (
    "#0072b2",
    "#e69f00",
    "#228833",
    "#cc6677",
    "#88ccee",
    "#a8326e",
    "#999933",
    "#aa4499",
    "#44aa99",
    "#6a5acd",
)


def cluster_colour(cluster: int) -> str:
    """Colour of a cluster; beyond ten they repeat, and the number on the chart tells.

    Users who belong to none, cluster -1, are grey.
    """
    if cluster < 0:
        return NOISE_COLOUR
    return _CLUSTERS[cluster % len(_CLUSTERS)]
