"""What is known of the items before training, as input of the item table.

Features come from the items' texts or, where there are none, from which items users have in common.
A linear map of them is added to the item vectors of some members of the encoder; the other members
learn their vectors from nothing. Members that know different things average far better than members
that differ only by their seed (`docs/journal/results.md`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from trainer.data.cooccurrence import cooccurrence_vectors
from trainer.data.histories import Histories
from trainer.data.item_content import ItemContent

DIMENSIONS = 128
"""How many principal components of text vectors are kept; the map costs in proportion."""
SCALE = 1.2
"""Root mean squared length of the feature vectors. It is several times that of a new item
embedding, so that the features lead and the embedding learns what they do not say."""


@dataclass(frozen=True)
class ItemFeatures:
    """Features of the items of a vocabulary and of catalogue items beyond it.

    Attributes:
        source: "texts", "co-occurrence" or "none".
        why: a phrase for people.
        known: float32 [vocabulary + 2, dim], a row per item index of the training vocabulary;
            zero for padding, out of vocabulary and items of which nothing is known.
        new_ids: catalogue items with features that are not in the vocabulary.
        new: float32 [len(new_ids), dim].
    """

    source: str
    why: str
    known: np.ndarray
    new_ids: list[bytes]
    new: np.ndarray

    @classmethod
    def none(cls, vocabulary: int, why: str) -> ItemFeatures:
        """No features for a vocabulary of that size."""
        nothing = np.zeros((vocabulary + 2, 0), np.float32)
        return cls("none", why, nothing, [], np.zeros((0, 0), np.float32))

    def plain_members(self, members: int) -> int:
        """How many members of an encoder learn their item vectors from nothing; they are the first.

        The others add the features, and so does the only member of an encoder of one. Texts are
        read by half of the members, co-occurrence by one: members that start from what the log says
        agree too much, and a second one brought nothing on Beauty (`docs/journal/results.md`).
        """
        if members == 1:
            return 0
        return members // 2 if self.source == "texts" else members - 1

    @property
    def dim(self) -> int:
        """Number of features of an item; 0 without any."""
        return int(self.known.shape[1])


def text_features(content: ItemContent, vocabulary: list[bytes]) -> ItemFeatures:
    """Centres the vectors of item texts and keeps their principal components.

    Args:
        content: of the catalogue.
        vocabulary: item ids in the order of their indices, from 1 on.

    Returns:
        Features with up to `DIMENSIONS` dimensions; none where no item of the vocabulary has a
        text.
    """
    vectors, has = content.lookup(vocabulary)
    if not has.any():
        why = content.reason or "no item of the training split has a text"
        return ItemFeatures.none(len(vocabulary), why)
    in_vocabulary = set(vocabulary)
    new_ids = [
        item
        for item, some in zip(content.item_ids, content.has_vector, strict=True)
        if some and item not in in_vocabulary
    ]
    mean = vectors[has].mean(axis=0)
    centred = vectors[has] - mean
    # Eigenvectors of the covariance, the largest first; the sign is fixed to be reproducible.
    _, axes = np.linalg.eigh(centred.T.astype(np.float64) @ centred)
    axes = axes[:, ::-1][:, :DIMENSIONS]
    axes *= np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    axes = (axes * _to_scale(centred @ axes)).astype(np.float32)
    known = np.zeros((len(vocabulary) + 2, axes.shape[1]), np.float32)
    known[1:-1][has] = centred @ axes
    new = ((content.lookup(new_ids)[0] - mean) @ axes).astype(np.float32)
    why = (
        f"{has.mean():.1%} of the items have a text, and so do {len(new_ids)} that never occur "
        "in the training split"
    )
    return ItemFeatures("texts", why, known, new_ids, new)


def cooccurrence_features(histories: Histories, items: int, why: str, seed: int) -> ItemFeatures:
    """Features from the training histories themselves.

    Args:
        histories: the training split.
        items: size of the vocabulary.
        why: why there are no texts.
        seed: of the decomposition.
    """
    vectors = cooccurrence_vectors(histories, items, seed)
    known = np.zeros((items + 2, vectors.shape[1]), np.float32)
    known[1:-1] = vectors * _to_scale(vectors[vectors.any(axis=1)])
    why = f"from the training histories, since {why}"
    return ItemFeatures("co-occurrence", why, known, [], known[:0])


def _to_scale(rows: np.ndarray) -> float:
    """Factor that brings rows [n, dim] to a root mean squared length of `SCALE`."""
    square = float((rows**2).sum(axis=1).mean()) if len(rows) else 0.0
    return SCALE / np.sqrt(square) if square > 0 else 1.0
