"""The cluster model: how the cluster of a user follows from the encoder's states.

Representation -> space -> rule. The clusterer assigns training examples with the NumPy form; an
exported model repeats it with the graph form, so that a user is in the same cluster when training
and when serving.
"""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from trainer.clusters.assignment_rule import AssignmentRule
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.gaussian_posterior import GaussianPosterior
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.clusters.representation import LAST_STATE, REPRESENTATIONS, Representation
from trainer.errors import UserError
from trainer.uri_files import read_bytes, write_bytes, write_json

CLUSTERS_FILE = "clusters.json"
ARRAYS_FILE = "clusters.npz"
_RULES: dict[str, type[AssignmentRule]] = {
    rule.kind: rule for rule in (NearestPrototype, GaussianPosterior)
}


class ClusterModelError(UserError):
    """A stored cluster model cannot be used; the message names the file and what is wrong."""


@dataclasses.dataclass(frozen=True)
class ClusterGeometry:
    """Everything that assigning a user needs.

    Attributes:
        space: how embeddings are transformed first.
        rule: assigns points of that space.
        representation: what the embeddings are.
    """

    space: EmbeddingSpace
    rule: AssignmentRule
    representation: Representation = LAST_STATE

    def __post_init__(self) -> None:
        components = self.space.components
        if components is not None and len(components) != self.rule.dim:
            raise ValueError(
                f"the rule is for points of {self.rule.dim} dimensions, but 'pca_components' "
                f"gives {len(components)}"
            )

    @property
    def clusters(self) -> int:
        """K, the number of clusters."""
        return self.rule.clusters

    def assign(self, embeddings: np.ndarray) -> np.ndarray:
        """The cluster, int64 [n], of embeddings [n, dim]; -1 for noise."""
        return self.rule.assign(self.space.points(embeddings))

    def membership(self, embeddings: np.ndarray) -> np.ndarray:
        """Soft membership, float32 [n, K], of embeddings [n, dim].

        Rows sum to one, those of noise to zero.
        """
        return self.rule.membership(self.space.points(embeddings))

    def in_graph(self, embeddings: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """`assign` and `membership` with TensorFlow ops, for an exported graph.

        Args:
            embeddings: [batch, dim], any float type.

        Returns:
            cluster_id int64 [batch] and membership float32 [batch, K].
        """
        return self.rule.in_graph(self.space.in_graph(embeddings))

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything that was fitted, by name."""
        return {**self.space.arrays(), **self.rule.arrays()}

    def save(self, directory: str, description: Mapping[str, Any]) -> None:
        """Writes a ClusterModel artifact.

        Args:
            directory: the artifact's uri.
            description: what else `clusters.json` shall say: algorithm, sizes, ….
        """
        root = directory.rstrip("/")
        content = {
            **description,
            "clusters": self.clusters,
            "dim": self.rule.dim,
            "representation": self.representation,
            "preprocess": self.space.settings(),
            "rule": {"kind": self.rule.kind, **self.rule.settings()},
        }
        write_json(f"{root}/{CLUSTERS_FILE}", content, allow_nan=False)
        buffer = io.BytesIO()
        arrays: dict[str, Any] = self.arrays()
        np.savez(buffer, **arrays)
        write_bytes(f"{root}/{ARRAYS_FILE}", buffer.getvalue())

    @classmethod
    def load(cls, directory: str) -> ClusterGeometry:
        """Reads it from a ClusterModel artifact.

        Args:
            directory: the artifact's uri, with `clusters.json` and `clusters.npz`.

        Raises:
            ClusterModelError: a file is missing or damaged, or the two do not fit together.
        """
        root = directory.rstrip("/")
        described, stored = f"{root}/{CLUSTERS_FILE}", f"{root}/{ARRAYS_FILE}"
        texts, bundle = _read(described), _read(stored)
        try:
            description = json.loads(texts)
            representation, kind = description["representation"], description["rule"]["kind"]
            if representation not in REPRESENTATIONS:
                raise ValueError(f"unknown representation {representation!r}")
            if kind not in _RULES:
                raise ValueError(f"unknown rule {kind!r} (known: {', '.join(_RULES)})")
        except KeyError as error:
            raise ClusterModelError(f"{described}: {error} is missing") from error
        except (ValueError, TypeError) as error:
            raise ClusterModelError(f"{described}: {error}") from error
        try:
            with np.load(io.BytesIO(bundle), allow_pickle=False) as file:
                arrays = dict(file)
            space = EmbeddingSpace.from_parts(description["preprocess"], arrays)
            rule = _RULES[kind].from_parts(description["rule"], arrays)
            geometry = cls(space, rule, representation)
            if geometry.clusters != description["clusters"]:
                raise ValueError(f"the arrays are of {geometry.clusters} clusters")
        except KeyError as error:
            raise ClusterModelError(f"{stored} or {described}: {error} is missing") from error
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile) as error:
            raise ClusterModelError(
                f"{stored} does not fit {CLUSTERS_FILE} beside it: {error}; "
                "run the clustering again"
            ) from error
        return geometry


def _read(path: str) -> bytes:
    try:
        return read_bytes(path)
    except tf.errors.NotFoundError:
        raise ClusterModelError(f"{path} is missing: run the clustering again") from None
