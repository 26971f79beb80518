"""What can be known to be wrong with a run's input before anything is loaded or trained.

The same code looks at the files that reads them later. Nothing here imports TensorFlow.
"""

from __future__ import annotations

from components.behavior_example_gen.sources import event_sources, item_sources
from components.item_content_encoder.weights import find_weights
from components.sequence_clusterer.labels_file import read_labels_file
from tfx_pipeline.config import RunConfig
from tfx_pipeline.inputs import (
    InputError,
    event_files,
    labels_file,
    refuse_remote,
    resolve_files,
    start_path,
)


def check_inputs(config: RunConfig) -> None:
    """Finds all input files of a local run and looks at their beginnings.

    Raises:
        InputError: a file is missing or cannot be read.
        DataError: events or items have no known form, or lack a column.
        ClusteringError: the labels file cannot be used.
        ConfigError: `content.weights` names no pretrained BERT.
    """
    events = event_files(config.run.events)
    items = resolve_files(config.run.items, "items")
    labels = labels_file(config.clustering.labels)
    start_path(config.clustering.start_from)
    find_weights(config.content.weights)
    for file in (*events, *items, *([labels] if labels else [])):
        refuse_remote(file)
    try:
        event_sources(events, config.data)
        item_sources(items, config.data)
    except OSError as error:
        raise InputError(f"cannot read {error.filename!r}: {error.strerror}") from None
    if labels:
        read_labels_file(labels, config.clustering.labels_user_column)
