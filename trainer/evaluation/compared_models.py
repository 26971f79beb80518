"""The models that a run compares: one table for the comparison, the terminal and the report."""

from __future__ import annotations

import dataclasses

POPULARITY = "popularity"
OWN_ITEMS = "own_items"
ITEM_TRANSITIONS = "item_transitions"
ITEM_KNN = "item_knn"
TIFU_KNN = "tifu_knn"
UP_CF = "up_cf"
ALS = "als"
BPR = "bpr"
PURE_SVD = "pure_svd"
EASE = "ease"
NCF = "ncf"
GRU = "gru"
LSTM = "lstm"
ENCODER = "encoder"
GLOBAL = "global"
ROUTED = "routed"
COMBINER = "combiner"
CONTINUED = "continued"
RANDOM_ROUTED = "random_routed"
RANDOM_COMBINER = "random_combiner"


@dataclasses.dataclass(frozen=True)
class ComparedModel:
    """One of them.

    Attributes:
        key: its name in files.
        title: its name for people, as it stands in a sentence behind "the".
        colour: in charts; any common colour vision tells them apart (Okabe & Ito).
        free: it costs no training.
        peer: a published recommender, trained only to be compared with; it decides nothing.
        control: trained only to tell what the clusters are worth; in no table of results.
    """

    key: str
    title: str
    colour: str
    free: bool = False
    peer: bool = False
    control: bool = False


_MODELS = (
    ComparedModel(POPULARITY, "popularity", "#9a9a9a", free=True),
    ComparedModel(OWN_ITEMS, "own items, then popularity", "#e69f00", free=True),
    ComparedModel(ITEM_TRANSITIONS, "item transitions alone", "#6e6e6e", free=True),
    ComparedModel(ITEM_KNN, "item-kNN", "#8c6d31", free=True),
    ComparedModel(TIFU_KNN, "TIFU-KNN", "#b35806", free=True),
    ComparedModel(UP_CF, "UP-CF@r", "#c9c9c9", free=True),
    ComparedModel(ALS, "implicit ALS", "#882255", peer=True),
    ComparedModel(BPR, "BPR", "#44aa99", peer=True),
    ComparedModel(PURE_SVD, "PureSVD", "#999933", peer=True),
    ComparedModel(EASE, "EASE", "#332288", peer=True),
    ComparedModel(NCF, "NCF", "#117733", peer=True),
    ComparedModel(GRU, "GRU next-item model", "#aa4499", peer=True),
    ComparedModel(LSTM, "LSTM next-item model", "#661100", peer=True),
    # The global encoder as it is without the item transitions that all later ones have; compared
    # only where there are any.
    ComparedModel(ENCODER, "global encoder without transitions", "#009e73"),
    ComparedModel(GLOBAL, "global encoder", "#56b4e9"),
    ComparedModel(ROUTED, "specialists routed by cluster", "#cc79a7"),
    ComparedModel(COMBINER, "combiner", "#0072b2"),
    # The global encoder trained on for the steps that all specialists may have together.
    ComparedModel(CONTINUED, "global encoder trained on", "#d55e00", control=True),
    # Specialists of a random partition, as `routed` and `combiner` are of the clusters.
    ComparedModel(RANDOM_ROUTED, "specialists of a random partition", "#b8a800", control=True),
    ComparedModel(RANDOM_COMBINER, "combination of a random partition", "#5e4fa2", control=True),
)
COMPARED_MODELS = {model.key: model for model in _MODELS}
IN_RESULTS = tuple(model.key for model in _MODELS if not model.control)
FREE = tuple(model.key for model in _MODELS if model.free)
PEERS = tuple(model.key for model in _MODELS if model.peer)
"""What `combiner.peers` may name."""


def title(key: str) -> str:
    """Name for people."""
    return COMPARED_MODELS[key].title
