"""Writing a recommender as a SavedModel, with what stands beside it.

saved_model.pb, variables/, assets/      the signatures
keras/encoder.keras                      of a Trainer's model; all that a specialist's model has
assets.extra/model.json                  identity and origin
assets.extra/items.parquet               of the combined model: titles of its items
assets.extra/tf_serving_warmup_requests  of the combined model: requests that warm a server up
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import tensorflow as tf

from trainer.encoder.encoder import BehaviorEncoder
from trainer.serving.model_identity import CATALOGUE_FILE, MODEL_FILE, model_identity
from trainer.serving.recommender import Recommender
from trainer.uri_files import write_json

KERAS_FILE = "keras/encoder.keras"


def save_recommender(
    recommender: Recommender,
    directory: str,
    description: dict[str, Any],
    catalogue: str | None = None,
) -> str:
    """Saves the signatures, `model.json` and the catalogue.

    Args:
        recommender: what to serve.
        directory: SavedModel folder to write.
        description: goes into `model.json` beside the identity.
        catalogue: Parquet file with the items' titles, which stays with the model; None without.

    Returns:
        The model's identity (`trainer/serving/model_identity.py`). The same training under the same
        settings gives the same identity.
    """
    functions: dict[str, Any] = dict(recommender.signatures())
    signatures = {name: function.get_concrete_function() for name, function in functions.items()}
    tf.saved_model.save(_Restored(recommender, signatures), directory, signatures=signatures)
    tf.io.gfile.makedirs(f"{directory}/assets.extra")
    if catalogue is not None:
        tf.io.gfile.copy(catalogue, f"{directory}/{CATALOGUE_FILE}", overwrite=True)
    identity = model_identity(signatures, directory)
    write_json(f"{directory}/{MODEL_FILE}", {"id": identity, **description})
    return identity


class _Restored(tf.Module):
    """What a SavedModel holds beside its graph: every variable that the signatures read, once.

    The recommender itself cannot be the root. A Keras 3 variable puts a copy of its TensorFlow
    variable into the exported graph, and it is the copy that a checkpoint restores. Python's loader
    joins the two again; TensorFlow Serving does not, and finds the variables that the functions
    read without a value.
    """

    def __init__(self, recommender: Recommender, signatures: Mapping[str, Any]) -> None:
        super().__init__(name="recommender")
        # The vocabularies' tables and their files.
        self.transform = recommender.transform
        read = [variable for function in signatures.values() for variable in function.variables]
        self.weights = list({id(variable): variable for variable in read}.values())


def save_encoder(encoder: BehaviorEncoder, directory: str) -> None:
    """Saves an encoder for further training below a SavedModel folder."""
    path = f"{directory}/{KERAS_FILE}"
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    encoder.save(path)


def copy_encoder(source: str, directory: str) -> None:
    """Copies what `save_encoder` wrote from one SavedModel folder to another."""
    path = f"{directory}/{KERAS_FILE}"
    tf.io.gfile.makedirs(path.rpartition("/")[0])
    tf.io.gfile.copy(f"{source}/{KERAS_FILE}", path, overwrite=True)


def load_encoder(directory: str) -> BehaviorEncoder:
    """Loads what `save_encoder` wrote.

    Args:
        directory: the SavedModel folder.

    Raises:
        ValueError: there is no encoder in it.
    """
    path = f"{directory}/{KERAS_FILE}"
    if not tf.io.gfile.exists(path):
        raise ValueError(f"{directory} has no {KERAS_FILE}: it was not written by Trainer.encoder")
    return keras.models.load_model(path, compile=False)
