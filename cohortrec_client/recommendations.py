"""The typed answer to a history."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from cohortrec_client.errors import ServerError
from cohortrec_client.item_ids import to_text
from cohortrec_client.tensor import Tensor

OUTPUTS = {
    "item_ids": ("string", 2),
    "scores": ("float32", 2),
    "cluster_id": ("int64", 1),
    "cluster_weights": ("float32", 2),
}
"""Outputs of `recommend` and `serving_default`: dtype and number of dimensions."""


@dataclasses.dataclass(frozen=True)
class Recommendations:
    """What a model recommends to one user, best first.

    Attributes:
        item_ids: at most `serving.top_k` items.
        scores: one for each item, float32.
        cluster: number of the user's cluster; -1 for none.
        cluster_weights: weights of the global encoder and of each cluster's specialist.

    Example:
        >>> answer = Recommendations(("22423", "85123A"), (6.3, 5.9), 0, (1.0, 0.0))
        >>> for item, score in answer:
        ...     print(item, score)
        22423 6.3
        85123A 5.9
    """

    item_ids: tuple[str, ...]
    scores: tuple[float, ...]
    cluster: int
    cluster_weights: tuple[float, ...]

    def __len__(self) -> int:
        return len(self.item_ids)

    def __iter__(self) -> Iterator[tuple[str, float]]:
        return zip(self.item_ids, self.scores, strict=True)


def from_outputs(outputs: Mapping[str, Tensor], batch: int) -> list[Recommendations]:
    """Splits the outputs of a batch by user.

    Args:
        outputs: what the model returned.
        batch: how many users were asked for.

    Raises:
        ServerError: the outputs are not those of a cohortrec model.
    """
    for name, (dtype, rank) in OUTPUTS.items():
        found = outputs.get(name)
        if found is None or found.dtype != dtype or len(found.shape) != rank:
            got = "nothing" if found is None else f"{found.dtype} {list(found.shape)}"
            raise ServerError(
                f"the answer's {name!r} is {got}, not {dtype} with {rank} dimensions; "
                "is the model one of cohortrec's?"
            )
        if found.shape[0] != batch:
            raise ServerError(
                f"{batch} histories asked, {found.shape[0]} rows of {name!r} answered"
            )
    columns = [outputs[name].rows() for name in OUTPUTS]
    return [_one(*row) for row in zip(*columns, strict=True)]


def _one(
    items: list[bytes], scores: list[float], cluster: list[int], weights: list[float]
) -> Recommendations:
    # A catalogue shorter than the list leaves places without an item.
    kept = [(to_text(item), score) for item, score in zip(items, scores, strict=True) if item]
    return Recommendations(
        item_ids=tuple(item for item, _ in kept),
        scores=tuple(score for _, score in kept),
        cluster=cluster[0],
        cluster_weights=tuple(weights),
    )
