"""Executor of ItemContentEncoder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tfx.dsl.components.base import base_executor
from tfx.types import Artifact, artifact_utils
from tfx.utils import path_utils

from components.item_content_encoder.config import AUTO, ContentConfig
from components.item_content_encoder.text_encoder import TextEncoder
from components.item_content_encoder.texts import PARTS, item_texts
from components.item_content_encoder.vector_cache import VectorCache, text_key
from components.item_content_encoder.weights import (
    NOT_INSTALLED,
    find_weights,
    folder_fingerprint,
)
from trainer.data.item_content import ItemContent
from trainer.progress import progress
from trainer.uri_files import read_parquet

_SECONDS_BETWEEN_LINES = 10.0
# What an interruption may cost.
_SECONDS_BETWEEN_SAVES = 30.0


class Executor(base_executor.BaseExecutor):
    """Encodes every text of the catalogue that was not encoded before."""

    def Do(
        self,
        input_dict: dict[str, list[Artifact]],
        output_dict: dict[str, list[Artifact]],
        exec_properties: dict[str, Any],
    ) -> None:
        """Writes `trainer.data.item_content.ItemContent` where a Trainer looks for its base model.

        Args:
            input_dict: `items` (ItemCatalogue).
            output_dict: `content` (Model).
            exec_properties: `config` (JSON of ContentConfig) and `cache`, a folder.

        Raises:
            ConfigError: `content.weights` names no BERT, or one that `content.max_tokens` does
                not suit.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = ContentConfig.from_json(exec_properties["config"])
        weights = find_weights(config.weights)
        catalogue = artifact_utils.get_single_instance(input_dict["items"])
        items = read_parquet(f"{catalogue.uri}/items.parquet", ["item_id", *PARTS])
        content = _content(items, weights, config, exec_properties["cache"])
        if content.reason:
            progress.info("item texts are not used: %s", content.reason)
        artifact = artifact_utils.get_single_instance(output_dict["content"])
        content.save(path_utils.serving_model_dir(artifact.uri))
        artifact.set_int_custom_property("items_with_vector", len(content.vectors))


def _content(
    items: pl.DataFrame, weights: Path | None, config: ContentConfig, cache: str
) -> ItemContent:
    """The catalogue with vectors, or without them and with the reason."""
    item_ids = items["item_id"].cast(pl.Binary).to_list()
    texts = item_texts(items)
    has_text = (texts != "").to_numpy()
    if not has_text.any():
        reason = "the catalogue is empty" if items.is_empty() else f"no item has a {_either()}"
        return ItemContent.empty(item_ids, reason)
    if weights is None:
        reason = NOT_INSTALLED if config.weights == AUTO else "content.weights is none"
        return ItemContent.empty(item_ids, reason)
    # Variants of a product often share their text.
    different = texts.filter(pl.Series(has_text)).unique(maintain_order=True)
    fingerprint = folder_fingerprint(weights)
    encoder = TextEncoder(weights, config.max_tokens, config.batch_size)
    progress.info(
        "item texts: %s of %s items have one, %s of them different",
        f"{has_text.sum():,}",
        f"{len(items):,}",
        f"{len(different):,}",
    )
    vectors = _encode(
        encoder,
        different.to_list(),
        VectorCache(f"{cache}/{fingerprint}-{config.max_tokens}", encoder.dim),
    )
    row_of = {text: row for row, text in enumerate(different)}
    rows = [row_of[text] for text in texts.filter(pl.Series(has_text))]
    return ItemContent(
        item_ids,
        has_text,
        vectors[rows],
        source={
            "weights": config.weights,
            "fingerprint": fingerprint,
            "max_tokens": config.max_tokens,
            "texts": len(different),
        },
    )


def _encode(encoder: TextEncoder, texts: list[str], cache: VectorCache) -> np.ndarray:
    """float32 [texts, dim], from the cache where it has them; the cache gets the others."""
    keys = [text_key(text) for text in texts]
    vectors, known = cache.read(keys)
    new = np.flatnonzero(~known)
    if known.any():
        progress.info("%s item texts were encoded before", f"{known.sum():,}")
    unsaved: list[int] = []
    done = 0
    began = shown = saved = time.monotonic()
    for batch, encoded in encoder.encode([texts[row] for row in new]):
        rows = new[batch]
        vectors[rows] = encoded
        unsaved += rows.tolist()
        done += len(rows)
        now = time.monotonic()
        if now - saved > _SECONDS_BETWEEN_SAVES:
            cache.add([keys[row] for row in unsaved], vectors[unsaved])
            unsaved, saved = [], now
        if now - shown > _SECONDS_BETWEEN_LINES:
            progress.info("encoded %s of %s item texts", f"{done:,}", f"{len(new):,}")
            shown = now
    if unsaved:
        cache.add([keys[row] for row in unsaved], vectors[unsaved])
    if len(new):
        seconds = time.monotonic() - began
        progress.info("encoded %s item texts in %.1f s", f"{len(new):,}", seconds)
    return vectors


def _either() -> str:
    return f"{', '.join(PARTS[:-1])} or {PARTS[-1]}"
