"""What can be known to be wrong with a run's input before anything is loaded or trained.

The same code looks at the files that reads them later. Nothing here imports TensorFlow.
"""

from __future__ import annotations

from collections.abc import Sequence

from components.behavior_example_gen.config import DataConfig
from components.behavior_example_gen.reading.readers import read
from components.behavior_example_gen.reading.sources import Source, event_sources, item_sources
from components.item_content_encoder.weights import find_weights
from components.sequence_clusterer.meaning.labels_file import (
    as_text,
    is_nested,
    no_common_user,
    read_labels_file,
)
from tfx_pipeline.paths.inputs import (
    InputError,
    event_files,
    labels_file,
    refuse_remote,
    resolve_files,
    start_path,
)
from tfx_pipeline.settings.run_config import RunConfig
from trainer.evaluation.peers.library import check_library


def check_inputs(
    config: RunConfig, what: str = "events", of_items: DataConfig | None = None
) -> None:
    """Finds all input files of a local run and looks at their beginnings.

    Args:
        config: all settings.
        what: what the log is called, for messages.
        of_items: how the items are read; as the log if None.

    Raises:
        InputError: a file is missing or cannot be read.
        DataError: events or items have no known form, or lack a column.
        ClusteringError: the labels file cannot be used.
        ConfigError: `content.weights` names no pretrained BERT, or `combiner.peers` needs a
            library that is not installed.
    """
    events = event_files(config.run.events, what)
    items = resolve_files(config.run.items, "items")
    labels = labels_file(config.clustering.labels)
    start_path(config.clustering.start_from)
    find_weights(config.content.weights)
    check_library(config.combiner.peers)
    for file in (*events, *items, *([labels] if labels else [])):
        refuse_remote(file)
    try:
        sources = event_sources(events, config.data)
        item_sources(items, of_items or config.data)
        if labels:
            _check_labels(labels, config.clustering.labels_user_column, sources)
    except OSError as error:
        raise InputError(f"cannot read {error.filename!r}: {error.strerror}") from None


def _check_labels(path: str, user_column: str, log: Sequence[Source]) -> None:
    """Reads the labels, and the log until one of their users occurs: mostly its first batch."""
    labelled = read_labels_file(path, user_column)[user_column]
    known = set(labelled.to_list())
    for source in log:
        for batch in read(source):
            users = batch.frame["user_id"]
            # The ingestion says what is wrong with such a column.
            if is_nested(users) or not known.isdisjoint(as_text(users.unique()).to_list()):
                return
    raise no_common_user(path, labelled, "those in the event log")
