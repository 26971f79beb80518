"""One epoch of the encoder's own training, timed, for `throughput.py` to compare.

The encoder, the input and the train step are the ones of `Trainer.encoder` with its default
settings; validation, checkpoints and logs are left out, as they are in the reference.

Usage: python benchmarks/encoder_training.py --sequences FILE [--samples N]

Prints one line of JSON: samples, seconds, mean loss, catalogue size and TensorFlow's version.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import trainer  # noqa: F401, I001 (first: it throws the Keras switches)
import keras
import numpy as np
import tensorflow as tf

from corpus import Corpus, read_corpus
from stopwatch import Stopwatch
from trainer.encoder.build_encoder import build_encoder
from trainer.data import features
from trainer.config import EncoderConfig, ServingConfig, TrainingConfig
from trainer.data.item_features import ItemFeatures
from trainer.data.item_statistics import ItemStatistics
from trainer.data.data_facts import DataFacts
from trainer.data.histories import Histories
from trainer.training.next_item_model import NextItemModel
from trainer.data.sampling import SampleBatches
from trainer.training.optimizer import build_optimizer


def corpus_histories(corpus: Corpus) -> Histories:
    """The histories as `read_histories` gives those of a sequence file: order instead of time,
    one kind of action, nothing else known.

    Training starts at the second item, so that the samples are the prefixes of at least one item.
    """
    lengths = np.array([len(history) for history in corpus.histories], np.int64)
    splits = np.concatenate([[0], np.cumsum(lengths)])
    events = splits[-1]
    columns = {name: np.zeros(events, np.int32) for name in features.EVENT_COLUMNS}
    columns[features.ITEM] = np.concatenate(
        [np.array(history, np.int32) for history in corpus.histories]
    )
    columns[features.ACTION] += 1
    columns[features.TIME] = np.arange(events) - np.repeat(splits[:-1], lengths)
    for name in (features.PRICE, features.QUANTITY):
        columns[name] = np.zeros(events, np.float32)
    return Histories(
        columns=columns,
        splits=splits,
        targets=np.zeros(0, np.int32),
        target_splits=np.zeros(len(splits), np.int64),
        first_target=np.ones(len(lengths), np.int64),
    )


def build_model(histories: Histories, items: int) -> NextItemModel:
    """The encoder that these histories lead to, with the full softmax."""
    counts = np.bincount(histories.columns[features.ITEM], minlength=items + 1)
    facts = DataFacts(
        items=items,
        item_counts=counts,
        item_statistics=ItemStatistics.of(histories, items, has_time=False),
        item_categories=np.zeros(items + 2, np.int32),
        categories=0,
        actions=0,
        has_time=False,
        has_price=False,
        repeat_share=0.0,
    )
    encoder = build_encoder(
        facts,
        EncoderConfig(members=1),
        ServingConfig(exclude_seen=True),
        ItemFeatures.none(facts.items, "left out here"),
    )
    model = NextItemModel(encoder, TrainingConfig())
    model.build()
    return model


def sample_batches(
    histories: Histories, model: NextItemModel, samples: int, batch_size: int, seed: int
) -> SampleBatches:
    """The training input, at most `samples` of it an epoch."""
    return SampleBatches(
        histories,
        items=model.encoder.catalogue.items,
        batch_size=batch_size,
        samples_per_epoch=samples,
        max_targets=TrainingConfig().max_targets,
        later_items=model.later_items,
        max_events=model.encoder.tower.max_events,
        own_events=model.encoder.own_events,
        seed=seed,
    )


class EpochClock(keras.callbacks.Callback):
    """Measures from the start of an epoch to its end, the start of the input included."""

    def __init__(self) -> None:
        super().__init__()
        self.watch = Stopwatch()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Starts the watch."""
        self.watch.start()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Stops it."""
        self.watch.stop()


def main() -> None:
    """Warms up, then times one pass over the samples."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--samples", type=int, help="a random part this large (default: all)")
    parser.add_argument("--warmup", type=int, default=8192, help="samples trained on beforehand")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    tf.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tf.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    keras.utils.set_random_seed(arguments.seed)

    corpus = read_corpus(arguments.sequences)
    histories = corpus_histories(corpus)
    model = build_model(histories, corpus.items)
    everything = len(sample_batches(histories, model, sys.maxsize, 1, 0))
    samples = min(arguments.samples or everything, everything)
    warmup, measured = (
        sample_batches(histories, model, part, arguments.batch_size, arguments.seed)
        for part in (min(arguments.warmup, everything), samples)
    )
    config = TrainingConfig()
    optimizer = build_optimizer(config, 12, measured.steps_per_epoch)
    model.compile(optimizer=optimizer, jit_compile=False)
    clock = EpochClock()
    for batches in (warmup, measured):
        history = model.fit(
            batches.dataset(),
            epochs=1,
            steps_per_epoch=batches.steps_per_epoch,
            verbose=0,
            callbacks=[clock],
        )
    print(
        json.dumps(
            {
                "samples": samples,
                **clock.watch.figures(),
                "loss": history.history["loss"][0],
                "items": corpus.items,
                "version": tf.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
