"""Sentence vectors from a pretrained BERT: mean over the tokens, length one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from components.item_content_encoder.bert import load_bert, read_sizes
from components.item_content_encoder.tokens import Tokenizer
from trainer.settings import ConfigError


class TextEncoder:
    """Encodes texts as sentence-transformers does with all-MiniLM-L6-v2 (Reimers & Gurevych 2019).

    The last hidden states of all tokens that are not padding are averaged, and the mean is scaled
    to length one, so that an inner product of two vectors is the cosine.

    Args:
        folder: the files of the pretrained BERT (`components.item_content_encoder.weights`).
        max_tokens: ids of a text that count.
        batch_size: texts per call.

    Raises:
        ConfigError: the files are not those of a BERT, or it cannot read so many tokens.
    """

    def __init__(self, folder: Path, max_tokens: int, batch_size: int) -> None:
        sizes = read_sizes(folder)
        if max_tokens > sizes["max_sequence_length"]:
            raise ConfigError(
                f"setting 'content.max_tokens' is {max_tokens}, but the BERT of content.weights "
                f"reads at most {sizes['max_sequence_length']}"
            )
        self.dim = sizes["hidden_dim"]
        self._batch_size = batch_size
        self._tokenizer = Tokenizer(folder, max_tokens)
        if self._tokenizer.size > sizes["vocabulary_size"]:
            raise ConfigError(
                f"setting 'content.weights': vocab.txt has {self._tokenizer.size} entries, "
                f"config.json beside it says {sizes['vocabulary_size']}"
            )
        self._bert = load_bert(folder)
        self._embed = tf.function(
            self._mean_state,
            input_signature=[
                tf.TensorSpec([None, None], tf.int32),
                tf.TensorSpec([None], tf.int32),
            ],
        )

    def encode(self, texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Encodes in batches of like length, the longest texts first, so that little is padded.

        Yields:
            int64 [batch], which of the texts these are, and their vectors, float32 [batch, dim].
        """
        tokens = self._tokenizer(texts)
        lengths = np.array([len(ids) for ids in tokens], dtype=np.int32)
        order = np.argsort(-lengths, kind="stable")
        for start in range(0, len(order), self._batch_size):
            rows = order[start : start + self._batch_size]
            padded = np.full((len(rows), lengths[rows[0]]), self._tokenizer.pad, dtype=np.int32)
            for line, row in enumerate(rows):
                padded[line, : lengths[row]] = tokens[row]
            yield rows, self._embed(padded, lengths[rows]).numpy()

    def _mean_state(self, tokens: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
        mask = tf.sequence_mask(lengths, tf.shape(tokens)[1])
        states = self._bert(
            {
                "token_ids": tokens,
                "segment_ids": tf.zeros_like(tokens),
                "padding_mask": tf.cast(mask, tf.int32),
            },
            training=False,
        )
        counted = tf.where(mask[:, :, None], states, 0.0)
        mean = tf.reduce_sum(counted, axis=1) / tf.cast(lengths, tf.float32)[:, None]
        return tf.math.l2_normalize(mean, axis=1)
