"""A BERT of random weights in the files of the transformers library, and its formulas in numpy."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ",", "red", "shoe", "##s", "tea", "cup"]
WORDS += ["gro", "##ß", "cafe", "knife", "[", "]"]
WIDTH, LAYERS, HEADS, INNER, POSITIONS = 8, 2, 2, 12, 16
CONFIG = {
    "model_type": "bert",
    "vocab_size": len(WORDS),
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "max_position_embeddings": POSITIONS,
    "type_vocab_size": 2,
}


def tensors(seed: int = 0) -> dict[str, np.ndarray]:
    """A checkpoint of `CONFIG`, large enough in its values to make every part count."""
    shapes = {
        "embeddings.word_embeddings.weight": (len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": (POSITIONS, WIDTH),
        "embeddings.token_type_embeddings.weight": (2, WIDTH),
        "embeddings.LayerNorm.weight": (WIDTH,),
        "embeddings.LayerNorm.bias": (WIDTH,),
    }
    for layer in range(LAYERS):
        for name, inner, outer in (
            ("attention.self.query", WIDTH, WIDTH),
            ("attention.self.key", WIDTH, WIDTH),
            ("attention.self.value", WIDTH, WIDTH),
            ("attention.output.dense", WIDTH, WIDTH),
            ("intermediate.dense", WIDTH, INNER),
            ("output.dense", INNER, WIDTH),
        ):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (outer, inner)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (outer,)
        for name in ("attention.output.LayerNorm", "output.LayerNorm"):
            shapes[f"encoder.layer.{layer}.{name}.weight"] = (WIDTH,)
            shapes[f"encoder.layer.{layer}.{name}.bias"] = (WIDTH,)
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


def write_bert(
    folder: Path, weights: dict[str, np.ndarray] | None = None, words: list[str] = WORDS, **config
) -> Path:
    """Writes the three files; `config` replaces entries of `CONFIG`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    save_file(tensors() if weights is None else weights, folder / "model.safetensors")
    return folder


def sentence_vector(weights: dict[str, np.ndarray], ids: list[int]) -> np.ndarray:
    """The formulas of BERT (Devlin et al. 2019), then the mean over tokens at length one."""

    def dense(value, name):
        return value @ weights[f"{name}.weight"].T + weights[f"{name}.bias"]

    def norm(value, name):
        centred = value - value.mean(-1, keepdims=True)
        scaled = centred / np.sqrt(value.var(-1, keepdims=True) + 1e-12)
        return scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"]

    def gelu(value):
        return value * (1 + np.tanh(np.sqrt(2 / np.pi) * (value + 0.044715 * value**3))) / 2

    def heads(value):
        return value.reshape(len(ids), HEADS, -1).transpose(1, 0, 2)

    state = (
        weights["embeddings.word_embeddings.weight"][ids]
        + weights["embeddings.position_embeddings.weight"][: len(ids)]
        + weights["embeddings.token_type_embeddings.weight"][0]
    ).astype(np.float64)
    state = norm(state, "embeddings.LayerNorm")
    for layer in range(LAYERS):
        at = f"encoder.layer.{layer}"
        query, key, value = (
            heads(dense(state, f"{at}.attention.self.{part}")) for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.transpose(0, 2, 1) / np.sqrt(WIDTH / HEADS))
        mixed = (scores / scores.sum(-1, keepdims=True) @ value).transpose(1, 0, 2)
        attended = dense(mixed.reshape(len(ids), WIDTH), f"{at}.attention.output.dense")
        state = norm(state + attended, f"{at}.attention.output.LayerNorm")
        inner = dense(gelu(dense(state, f"{at}.intermediate.dense")), f"{at}.output.dense")
        state = norm(state + inner, f"{at}.output.LayerNorm")
    mean = state.mean(0)
    return mean / np.linalg.norm(mean)
