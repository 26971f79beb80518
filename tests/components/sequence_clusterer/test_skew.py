"""No skew: the served model puts a user into the cluster that the training data names."""

from __future__ import annotations

from types import SimpleNamespace

import apache_beam as beam
import keras
import numpy as np
import pytest
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

from components.sequence_clusterer.algorithms import make_algorithm
from components.sequence_clusterer.assignment.assignment import output_splits, write_cluster_splits
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.sample.embedding import SavedEncoder
from components.sequence_clusterer.sample.space import fit_space
from tests.helpers.some_signatures import with_signatures
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.clusters.mixture import Mixture
from trainer.clusters.nearest_prototype import NearestPrototype
from trainer.clusters.representation import REPRESENTATIONS
from trainer.config import EncoderConfig, ServingConfig
from trainer.data.data_facts import DataFacts
from trainer.data.histories import read_histories
from trainer.data.item_features import ItemFeatures
from trainer.encoder.build_encoder import build_encoder
from trainer.evaluation.scorer import Scorer
from trainer.serving.export import save_recommender
from trainer.serving.recommender import Recommender

pytestmark = pytest.mark.slow

CLUSTERS = 3


@pytest.fixture(scope="module")
def shop(tiny_shop, tmp_path_factory):
    """An encoder with random weights, as the Trainer exports it."""

    keras.utils.set_random_seed(5)
    histories = read_histories(tiny_shop.validation, tiny_shop.graph)
    facts = DataFacts.of(histories, tiny_shop.graph)
    config = EncoderConfig(width=8, members=1, layers=1, feedforward=16, max_events=8)
    encoder = build_encoder(
        facts, config, ServingConfig(top_k=4), ItemFeatures.none(facts.items, "no texts")
    )
    rng = np.random.default_rng(0)
    for weight in [*encoder.catalogue.trainable_weights, *encoder.tower.trainable_weights]:
        weight.assign(rng.normal(0, 0.4, weight.shape))
    directory = str(tmp_path_factory.mktemp("encoder"))
    recommender = Recommender(tiny_shop.graph, encoder, top_k=4)
    save_recommender(with_signatures(recommender, "embed", "represent"), directory, {})
    return SimpleNamespace(
        encoder=encoder,
        exported=directory,
        model=tf.saved_model.load(directory),
        histories=histories,
        **tiny_shop._asdict(),
    )


def centroids(embeddings):
    config = ClusteringConfig()
    space = fit_space(embeddings, config)
    return space, make_algorithm(config).fit(space.points(embeddings), CLUSTERS, 0).rule


def radii(embeddings):
    """Some users as prototypes, and a radius that leaves others out."""
    space = fit_space(embeddings, ClusteringConfig(pca=0.95))
    points = space.points(embeddings)
    groups = points[:6].reshape(CLUSTERS, 2, -1)
    rule = NearestPrototype.of_groups(groups, 0.3)
    # Many users of the tiny shop are alike: the radius lies where nobody is.
    reach = np.sort(np.sqrt(rule.squared_distances(points).min(axis=1)))[15:45]
    gap = int(np.diff(reach).argmax())
    between = (reach[gap] + reach[gap + 1]) / 2
    return space, NearestPrototype.of_groups(groups, 0.3, np.full(CLUSTERS, between))


def mixture(embeddings):
    config = ClusteringConfig(algorithm="gaussian_mixture", covariance_type="full", pca=4)
    space = fit_space(embeddings, config)
    return space, make_algorithm(config).fit(space.points(embeddings), CLUSTERS, 0).rule


# Each once, not each with each: a rule sees points, however a user is represented.
@pytest.mark.parametrize(
    ("representation", "rule_of"),
    zip(REPRESENTATIONS, [centroids, radii, mixture], strict=True),
)
def test_no_skew_between_training_and_serving(shop, representation, rule_of, tmp_path):
    records = list(tf.data.TFRecordDataset(shop.train, "GZIP").as_numpy_iterator())
    signature = "embed" if representation == "last_state" else "represent"
    output = "embedding" if representation == "last_state" else representation
    embeddings = shop.model.signatures[signature](examples=tf.constant(records))[output].numpy()
    ClusterGeometry(*rule_of(embeddings), representation).save(str(tmp_path / "model"), {})
    geometry = ClusterGeometry.load(str(tmp_path / "model"))

    written = standard_artifacts.Examples()
    written.uri = str(tmp_path / "out")
    splits = output_splits(CLUSTERS, random_partition=False)
    written.split_names = artifact_utils.encode_split_names(splits)
    folders = {split: artifact_utils.get_split_uris([written], split)[0] for split in splits}
    write_cluster_splits(
        beam.Pipeline(),
        files={"validation": shop.validation},
        encoder=SavedEncoder(shop.exported),
        batch_size=64,
        geometry=geometry,
        partition=None,
        split_directories=folders,
        temporary=str(tmp_path),
    )
    stored = {}
    for path in tf.io.gfile.glob(f"{folders['validation']}/*"):
        for record in tf.data.TFRecordDataset(path, "GZIP").as_numpy_iterator():
            feature = tf.train.Example.FromString(record).features.feature
            (user,) = feature["user_id"].bytes_list.value
            (stored[user],) = feature["cluster_id"].int64_list.value

    strengths = np.full(geometry.clusters, 0.5, np.float32)
    towers = [shop.encoder.tower] * geometry.clusters
    mixture = Mixture(geometry, strengths, geometry.clusters)
    served = Recommender(shop.graph, shop.encoder, towers, mixture, top_k=4)
    answer = served.signatures()["embed"](tf.constant(shop.raw))
    names = [
        tf.train.Example.FromString(record).features.feature["user_id"].bytes_list.value[0]
        for record in shop.raw
    ]
    expected = [stored[name] for name in names]
    assert len(set(expected) - {-1}) > 1
    assert (-1 in expected) == (rule_of is radii)
    assert answer["cluster_id"].numpy().tolist() == expected

    scorer = Scorer(shop.encoder, shop.histories)
    _, represented = scorer.queries_and_representations(representation)
    assert geometry.assign(represented).tolist() == expected  # what the combiner is fitted on
    weights = 0.5 * geometry.membership(represented)
    np.testing.assert_allclose(answer["cluster_weights"][:, 1:], weights, atol=1e-4)
