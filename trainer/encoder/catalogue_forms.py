"""Other forms of a trained catalogue: with new items and without features; as it is served."""

from __future__ import annotations

from typing import Any

import numpy as np

from trainer.encoder.catalogue import Catalogue


def with_features_folded_in(
    catalogue: Catalogue, new_features: np.ndarray, rare: np.ndarray
) -> Catalogue:
    """The same catalogue as a plain table, with items appended that training never saw.

    Apart from the map of its features, a new item is an average rare item: it has the mean of
    their embeddings and biases, so that it competes with those. (With zeros instead it would
    stand above them: training pushes rare items away from most queries.)

    Args:
        catalogue: with or without features; not changed.
        new_features: float32 [new, feature_width].
        rare: indices of the items that new ones are like; all items if there are none.

    Returns:
        A built catalogue of `items + new` items without features; new items have the indices
        from `items + 1` on, and out of vocabulary is behind them.
    """
    new = len(new_features)
    like = rare if len(rare) else np.arange(1, catalogue.items + 1)
    known = catalogue.item_embedding.embeddings.numpy()
    appended = np.repeat(known[like].mean(axis=0, keepdims=True), new, axis=0)
    if catalogue.features is not None:
        known = known + catalogue.features.mapped(catalogue.item_features).numpy()
        appended += catalogue.features.mapped(new_features).numpy()
    bias = catalogue.item_bias.numpy()
    category = catalogue.item_category.numpy()
    plain = _copy_without_features(
        catalogue,
        vectors=np.concatenate([known[:-1], appended, known[-1:]]),
        bias=np.append(bias, np.full(new, bias[like].mean())),
        category=np.concatenate([category[:-1], np.zeros(new), category[-1:]]),
        periods=catalogue.periods,
        asks=catalogue.asks,
    )
    if catalogue.keeps_statistics:
        statistics = catalogue.item_statistics.numpy()
        level = statistics[:, like].mean(axis=1, keepdims=True)
        plain.item_statistics.assign(np.concatenate([statistics, *[level] * new], axis=1))
    if catalogue.periods:
        plain.period_starts.assign(catalogue.period_starts)
        plain.trend_weight.assign(catalogue.trend_weight)
    if catalogue.asks:
        asked = catalogue.biases.asked.numpy()
        plain.biases.asked.assign(np.append(asked, np.full(new, asked[like].mean())))
    return plain


def as_of_log_end(catalogue: Catalogue) -> Catalogue:
    """The same catalogue without periods, its scores those after the end of the training log.

    This is what is served. Where there are target actions, the scores are those of asking for them.

    Args:
        catalogue: without features; not changed.

    Raises:
        ValueError: item features have not been folded into the table.
    """
    if catalogue.features is not None:
        raise ValueError("fold the item features in first (`with_features_folded_in`)")
    plain = _copy_without_features(
        catalogue,
        vectors=catalogue.item_embedding.embeddings,
        bias=catalogue.biases.of(slice(None), by_period=False)[:, 0],
        category=catalogue.item_category,
        periods=0,
    )
    if plain.keeps_statistics:
        plain.item_statistics.assign(catalogue.item_statistics.numpy()[-1:])
    return plain


def _copy_without_features(
    catalogue: Catalogue,
    *,
    vectors: Any,
    bias: Any,
    category: Any,
    periods: int,
    asks: bool = False,
) -> Catalogue:
    """A built catalogue with this table, and the other learnt weights of the one given.

    Args:
        catalogue: what to copy.
        vectors: [items + 2, width].
        bias: [items + 1].
        category: [items + 2].
        periods: see `Catalogue`.
        asks: see `Catalogue`; the caller copies that bias.
    """
    plain = Catalogue(
        len(bias) - 1,
        catalogue.categories,
        catalogue.repeat_bonus is not None,
        catalogue.width,
        periods=periods,
        asks=asks,
        name=catalogue.name,
    )
    plain.build()
    plain.item_embedding.embeddings.assign(vectors)
    plain.item_bias.assign(bias)
    plain.sharpness.assign(catalogue.sharpness)
    plain.item_category.assign(category)
    if plain.category_embedding is not None and catalogue.category_embedding is not None:
        plain.category_embedding.set_weights(catalogue.category_embedding.get_weights())
    if plain.repeat_bonus is not None and catalogue.repeat_bonus is not None:
        plain.repeat_bonus.take_from(catalogue.repeat_bonus)
    if plain.neighbours is not None and catalogue.neighbours is not None:
        plain.neighbours.take_from(catalogue.neighbours)
    return plain
