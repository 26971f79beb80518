"""Colours that readers with any common colour vision can tell apart (Okabe & Ito; Tol, muted).

Colour never stands alone: the charts label what they colour.
"""

from __future__ import annotations

_MODELS = {
    "popularity": "#9a9a9a",
    "own_items": "#e69f00",
    "encoder": "#009e73",
    "global": "#56b4e9",
    "routed": "#cc79a7",
    "combiner": "#0072b2",
}
_OTHER_MODELS = ("#d55e00", "#b8a800", "#5e4fa2")

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


def model_colours(models: list[str]) -> dict[str, str]:
    """A colour for every model; those we know always have the same."""
    others = [name for name in models if name not in _MODELS]
    extra = {name: _OTHER_MODELS[i % len(_OTHER_MODELS)] for i, name in enumerate(others)}
    return {name: _MODELS.get(name) or extra[name] for name in models}


def cluster_colour(cluster: int) -> str:
    """Colour of a cluster; beyond ten they repeat, and the number on the chart tells.

    Users who belong to none, cluster -1, are grey.
    """
    if cluster < 0:
        return NOISE_COLOUR
    return _CLUSTERS[cluster % len(_CLUSTERS)]
