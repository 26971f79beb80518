"""The stored cluster model: written, read back, and refused with the file's name when damaged."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.assignment_rules import DIM, RULES, normal
from trainer.clusters.cluster_geometry import ClusterGeometry, ClusterModelError
from trainer.clusters.embedding_space import EmbeddingSpace
from trainer.clusters.nearest_prototype import NearestPrototype

WIDTH = 9
SPACE = EmbeddingSpace(True, normal(WIDTH, seed=5), normal(DIM, WIDTH, seed=6), 0.9)


@pytest.mark.parametrize("name", RULES)
def test_what_was_saved_assigns_alike(name, tmp_path):
    geometry = ClusterGeometry(SPACE, RULES[name], "mean_states")
    geometry.save(str(tmp_path), {"algorithm": "something", "sizes": [1]})
    loaded = ClusterGeometry.load(str(tmp_path))
    embeddings = normal(80, WIDTH, seed=8)
    np.testing.assert_array_equal(loaded.assign(embeddings), geometry.assign(embeddings))
    np.testing.assert_array_equal(loaded.membership(embeddings), geometry.membership(embeddings))
    cluster, membership = tf.function(loaded.in_graph)(tf.constant(embeddings))
    np.testing.assert_array_equal(cluster, geometry.assign(embeddings))
    np.testing.assert_allclose(membership, geometry.membership(embeddings), atol=1e-4)
    assert loaded.representation == "mean_states"
    description = json.loads((tmp_path / "clusters.json").read_text())
    assert description["algorithm"] == "something"
    assert (description["clusters"], description["dim"]) == (4, DIM)
    assert description["preprocess"] == {
        "normalize": True,
        "pca": {"components": 6, "variance": 0.9},
    }
    assert description["rule"]["kind"] == RULES[name].kind


def change(description, **values):
    return {**description, **values}


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda d: change(d, representation="mood"), "json: unknown representation 'mood'"),
        (
            lambda d: change(d, rule={"kind": "oracle"}),
            r"json: unknown rule 'oracle' \(known: near",
        ),
        (lambda d: {k: v for k, v in d.items() if k != "rule"}, "json: 'rule' is missing"),
        (lambda d: change(d, rule={"kind": "nearest_prototype"}), "'temperature' is missing"),
        (lambda d: change(d, rule={**d["rule"], "temperature": -1}), "npz .*'temperature' is -1"),
        (lambda d: change(d, clusters=7), "npz does not fit .* arrays are of 4 clusters"),
        (lambda d: change(d, rule={"kind": "gaussian_posterior"}), "npz or .*'means' is missing"),
    ],
)
def test_a_description_that_does_not_fit(edit, message, tmp_path):
    ClusterGeometry(SPACE, RULES["radii"]).save(str(tmp_path), {})
    path = tmp_path / "clusters.json"
    path.write_text(json.dumps(edit(json.loads(path.read_text()))))
    with pytest.raises(ClusterModelError, match=message):
        ClusterGeometry.load(str(tmp_path))


@pytest.mark.parametrize("file", ["clusters.json", "clusters.npz"])
def test_missing_and_damaged_files(file, tmp_path):
    ClusterGeometry(SPACE, RULES["radii"]).save(str(tmp_path), {})
    content = (tmp_path / file).read_bytes()
    (tmp_path / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(ClusterModelError, match=file):
        ClusterGeometry.load(str(tmp_path))
    (tmp_path / file).unlink()
    with pytest.raises(ClusterModelError, match=f"{file} is missing: run the clustering again"):
        ClusterGeometry.load(str(tmp_path))


def test_space_and_rule_of_different_widths():
    rule = NearestPrototype.of_groups([normal(1, DIM + 1)], 1.0)
    with pytest.raises(ValueError, match="points of 7 dimensions, but 'pca_components' gives 6"):
        ClusterGeometry(SPACE, rule)
