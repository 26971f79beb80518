"""Runs SequenceClusterer's executor with a small encoder that counts what it is shown."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import tensorflow as tf
from tfx.types import artifact_utils, standard_artifacts

from components.artifacts import ClusterEvaluation, ClusterModel, ItemCatalogue
from components.sequence_clusterer.config import ClusteringConfig
from components.sequence_clusterer.executor import Executor
from tests.helpers.raw_histories import write_records
from trainer.clusters.cluster_geometry import ClusterGeometry
from trainer.raw_history import length_bucket

GROUPS = ("tea", "car", "pet")

BUCKETS = 16


class CountingEncoder(tf.Module):
    """Embeds a history as the mean of its items' one-hot groups.

    It also counts the targets, a hundredfold, if it is shown them: a leak would be seen.
    """

    def __init__(self, scale=1.0):
        super().__init__()
        self.scale = tf.constant(scale)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def embed(self, examples):
        names = ["item_ids", "target_item_ids"]
        parsed = tf.io.parse_example(examples, {n: tf.io.VarLenFeature(tf.string) for n in names})
        total = tf.zeros([tf.size(examples), BUCKETS])
        for name in names:
            groups = tf.strings.substr(tf.sparse.to_dense(parsed[name]), 0, 3)
            known = tf.cast(groups != "", tf.float32)[..., tf.newaxis]
            buckets = tf.one_hot(tf.strings.to_hash_bucket_fast(groups, BUCKETS), BUCKETS)
            weight = 100.0 if name == "target_item_ids" else 1.0
            total += weight * tf.reduce_sum(buckets * known, axis=1)
        return {"embedding": self.scale * total}


def save_encoder(directory, scale=1.0):
    encoder = CountingEncoder(scale)
    path = str(directory / "Format-Serving")
    tf.saved_model.save(encoder, path, signatures={"embed": encoder.embed})


def history(user, items, targets=(), basket=1):
    example = tf.train.Example()
    feature = example.features.feature
    feature["user_id"].bytes_list.value.append(user.encode())
    feature["item_ids"].bytes_list.value.extend(item.encode() for item in items)
    feature["actions"].bytes_list.value.extend([b"purchase"] * len(items))
    times = [1_600_000_000 + 3_600 * (n // basket) for n in range(len(items))]
    feature["timestamps"].int64_list.value.extend(times)
    feature["target_item_ids"].bytes_list.value.extend(item.encode() for item in targets)
    feature["first_target"].int64_list.value.append(len(items) if targets else 0)
    feature["history_length"].bytes_list.value.append(length_bucket(len(items)).encode())
    return example.SerializeToString()


def planted(users=40, events=10):
    """`users` users of each group, who buy nothing but its items."""
    rng = np.random.default_rng(0)
    train, validation, test = [], [], []
    for group in GROUPS:
        for user in range(users):
            items = [f"{group}{n}" for n in rng.integers(0, 20, events)]
            name = f"{group}-user{user}"
            train.append(history(name, items[:-2]))
            validation.append(history(name, items[:-2], targets=items[-2:-1]))
            test.append(history(name, items[:-1], targets=items[-1:]))
    return {"train": train, "validation": validation, "test": test}


def write_examples(directory, splits):
    artifact = standard_artifacts.Examples()
    artifact.uri = str(directory)
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    for split, records in splits.items():
        folder = directory / f"Split-{split}"
        folder.mkdir(parents=True)
        write_records(folder / "data_tfrecord-00000-of-00001.gz", records)
    return artifact


class Result:
    """Outputs of a run, read back."""

    def __init__(self, artifacts):
        self.clusters = artifacts["clusters"]
        self.examples = artifacts["examples"]
        self.geometry = ClusterGeometry.load(self.clusters.uri)
        self.description = self._json("clusters", artifacts, "clusters.json")
        self.evaluation = self._json("evaluation", artifacts, "evaluation.json")
        self.profiles = self._json("evaluation", artifacts, "profiles.json")["clusters"]
        self.map = pl.read_parquet(f"{artifacts['evaluation'].uri}/map.parquet")

    @staticmethod
    def _json(name, artifacts, file):
        return json.loads(Path(artifacts[name].uri, file).read_text())

    @property
    def splits(self):
        return artifact_utils.decode_split_names(self.examples.split_names)

    def records(self, split):
        return read(self.examples, split)


def read(examples, split):
    """The records of a split, which must have a file."""
    (folder,) = artifact_utils.get_split_uris([examples], split)
    files = tf.io.gfile.glob(f"{folder}/*")
    assert files
    assert all("data_tfrecord-" in file and file.endswith(".gz") for file in files)
    data = tf.data.TFRecordDataset(files, "GZIP")
    return [tf.train.Example.FromString(record) for record in data.as_numpy_iterator()]


def run(
    directory,
    encoder,
    splits,
    max_clusters=4,
    items=None,
    random_partition=False,
    labels_file="",
    start_from="",
    **settings,
):
    directory.mkdir(exist_ok=True)
    # The planted encoder has no states; test_sequence_clusterer_skew.py is about the others.
    settings = {"representation": "last_state", **settings}
    model = standard_artifacts.Model()
    model.uri = str(encoder)
    inputs = {"histories": [write_examples(directory / "in", splits)], "encoder_model": [model]}
    if items is not None:
        catalogue = ItemCatalogue()
        catalogue.uri = str(directory / "items")
        (directory / "items").mkdir()
        items.write_parquet(directory / "items" / "items.parquet")
        inputs["items"] = [catalogue]
    outputs = {
        "clusters": ClusterModel(),
        "examples": standard_artifacts.Examples(),
        "evaluation": ClusterEvaluation(),
    }
    for name, artifact in outputs.items():
        artifact.uri = str(directory / name)
    context = Executor.Context(tmp_dir=str(directory / "tmp"), unique_id="1")
    properties = {
        "config": ClusteringConfig.from_dict(settings).to_json(),
        "max_clusters": max_clusters,
        "random_partition": int(random_partition),
        "labels_file": labels_file,
        "labels_fingerprint": "",
        "start_from": start_from,
        "start_from_fingerprint": "",
        "code_version": "",
    }
    Executor(context).Do(inputs, {k: [v] for k, v in outputs.items()}, properties)
    return Result(outputs)


def items_of(example):
    return [i.decode() for i in example.features.feature["item_ids"].bytes_list.value]


def user_of(example):
    (value,) = example.features.feature["user_id"].bytes_list.value
    return value.decode()


def integer(example, name):
    (value,) = example.features.feature[name].int64_list.value
    return value
