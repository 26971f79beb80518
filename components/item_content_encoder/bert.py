"""A pretrained BERT from the files of the transformers library, as a keras-hub backbone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import keras
import keras_hub
import numpy as np
import safetensors

from trainer.settings import ConfigError

# Names of keras-hub to those of the checkpoint.
_EMBEDDINGS = {
    "token_embedding/embeddings": "embeddings.word_embeddings.weight",
    "position_embedding/embeddings": "embeddings.position_embeddings.weight",
    "segment_embedding/embeddings": "embeddings.token_type_embeddings.weight",
    "embeddings_layer_norm/gamma": "embeddings.LayerNorm.weight",
    "embeddings_layer_norm/beta": "embeddings.LayerNorm.bias",
}
_LAYER_PARTS = {
    "self_attention_layer/query": "attention.self.query",
    "self_attention_layer/key": "attention.self.key",
    "self_attention_layer/value": "attention.self.value",
    "self_attention_layer/attention_output": "attention.output.dense",
    "self_attention_layer_norm": "attention.output.LayerNorm",
    "feedforward_intermediate_dense": "intermediate.dense",
    "feedforward_output_dense": "output.dense",
    "feedforward_layer_norm": "output.LayerNorm",
}
_VARIABLES = {"kernel": "weight", "bias": "bias", "gamma": "weight", "beta": "bias"}
_LAYER = "transformer_layer_"
_SIZES = {
    "vocabulary_size": "vocab_size",
    "num_layers": "num_hidden_layers",
    "num_heads": "num_attention_heads",
    "hidden_dim": "hidden_size",
    "intermediate_dim": "intermediate_size",
    "max_sequence_length": "max_position_embeddings",
    "num_segments": "type_vocab_size",
}


def load_bert(folder: Path) -> keras.Model:
    """Builds `keras_hub.models.BertBackbone` by `config.json` and fills in `model.safetensors`.

    Args:
        folder: holds both files, as the transformers library (BertModel) saves them.

    Returns:
        Model of {token_ids, segment_ids, padding_mask: int32 [batch, length]} to the last hidden
        state, float32 [batch, length, width]. The pooler above [CLS] is left out.

    Raises:
        ConfigError: naming the file, and the entry or tensor in it, that is not a BERT's.
    """
    sizes = read_sizes(folder)
    backbone = keras_hub.models.BertBackbone(**sizes, dropout=0.0, dtype="float32")
    model = keras.Model(backbone.input, backbone.output["sequence_output"])
    path = folder / "model.safetensors"
    try:
        with safetensors.safe_open(str(path), framework="numpy") as file:
            stored = {_plain(name): name for name in file.keys()}  # noqa: SIM118
            for variable in model.weights:
                name = _checkpoint_name(variable.path)
                if name not in stored:
                    raise ConfigError(
                        f"setting 'content.weights': {str(path)!r} has no tensor {name!r}; "
                        "it is not a BERT of the form that config.json describes"
                    )
                variable.assign(_fit(file.get_tensor(stored[name]), variable, name, path))
    except (safetensors.SafetensorError, OSError, TypeError) as error:
        raise ConfigError(
            f"setting 'content.weights': {str(path)!r} cannot be read: {error}"
        ) from None
    return model


def read_sizes(folder: Path) -> dict[str, int]:
    """The arguments of `BertBackbone` from `config.json`.

    Raises:
        ConfigError: the file is no JSON, not of a BERT, or lacks an entry.
    """
    path = folder / "config.json"
    where = f"setting 'content.weights': {str(path)!r}"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{where} cannot be read: {error}") from None
    kind = config.get("model_type", "bert") if isinstance(config, dict) else None
    if kind != "bert":
        raise ConfigError(f"{where} describes a model of type {kind!r}; only 'bert' can be loaded")
    missing = [entry for entry in _SIZES.values() if not isinstance(config.get(entry), int)]
    if missing:
        raise ConfigError(f"{where} has no whole number for {', '.join(missing)}")
    return {argument: config[entry] for argument, entry in _SIZES.items()}


def _plain(name: str) -> str:
    """A tensor's name without the head model's prefix, in the newer spelling of LayerNorm."""
    name = name.removeprefix("bert.")
    return name.replace("LayerNorm.gamma", "LayerNorm.weight").replace(
        "LayerNorm.beta", "LayerNorm.bias"
    )


def _checkpoint_name(path: str) -> str:
    """The checkpoint's name of a variable of the backbone."""
    if path in _EMBEDDINGS:
        return _EMBEDDINGS[path]
    layer, _, rest = path.removeprefix(_LAYER).partition("/")
    part, _, variable = rest.rpartition("/")
    return f"encoder.layer.{layer}.{_LAYER_PARTS[part]}.{_VARIABLES[variable]}"


def _fit(tensor: np.ndarray, variable: Any, name: str, path: Path) -> np.ndarray:
    """The tensor in the variable's shape: dense kernels are [out, in] there, [in, out] here.

    In attention, [in, out] is split by head besides: [in, heads, size], or [heads, size, out].
    """
    value = np.asarray(tensor, dtype=np.float32)
    if variable.path.endswith("/kernel"):
        value = value.T
    shape = tuple(variable.shape)
    fits = value.size == np.prod(shape) and (
        value.ndim == 1 or value.shape[0] == shape[0] or value.shape[-1] == shape[-1]
    )
    if not fits:
        raise ConfigError(
            f"setting 'content.weights': tensor {name!r} in {str(path)!r} is of shape "
            f"{list(tensor.shape)}, which config.json beside it does not lead to"
        )
    return value.reshape(shape)
