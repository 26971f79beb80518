"""The validation step stops on histories of the wrong form, and on nothing else."""

from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from tfx.types import artifact_utils, standard_artifacts

from components.curated_schema import executor as curated_schema
from components.history_validator.executor import AnomalyError, Executor

pytestmark = pytest.mark.slow

GOOD = {
    "user_id": [b"u"],
    "item_ids": [b"a", b"b"],
    "actions": [b"x", b"x"],
    "timestamps": [1, 2],
    "first_target": [0],
    "history_length": [b"1-4"],
}


def _feature(values):
    if isinstance(values[0], bytes):
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))


def _validate(tmp_path, features):
    """Runs the executor over the statistics of two equal histories."""
    records = tmp_path / "records.gz"
    with tf.io.TFRecordWriter(str(records), "GZIP") as writer:
        example = tf.train.Example()
        for name, values in features.items():
            example.features.feature[name].CopyFrom(_feature(values))
        for _ in range(2):
            writer.write(example.SerializeToString())
    statistics = standard_artifacts.ExampleStatistics()
    statistics.uri = str(tmp_path / "statistics")
    statistics.split_names = artifact_utils.encode_split_names(["train"])
    folder = Path(artifact_utils.get_split_uri([statistics], "train"))
    folder.mkdir(parents=True)
    stats = tfdv.generate_statistics_from_tfrecord(str(records))
    (folder / "FeatureStats.pb").write_bytes(stats.SerializeToString())
    curated = standard_artifacts.Schema()
    curated.uri = str(tmp_path / "schema")
    curated_schema.Executor().Do({}, {"schema": [curated]}, {})
    anomalies = standard_artifacts.ExampleAnomalies()
    anomalies.uri = str(tmp_path / "anomalies")
    Executor().Do({"statistics": [statistics], "schema": [curated]}, {"anomalies": [anomalies]}, {})


def test_good_histories_pass(tmp_path):
    _validate(tmp_path, GOOD)


def test_a_missing_feature_stops_the_run(tmp_path):
    features = {name: values for name, values in GOOD.items() if name != "timestamps"}
    with pytest.raises(AnomalyError, match="split 'train': feature 'timestamps'"):
        _validate(tmp_path, features)


def test_a_wrong_type_stops_the_run(tmp_path):
    with pytest.raises(AnomalyError, match="feature 'timestamps'.*INT but got STRING"):
        _validate(tmp_path, {**GOOD, "timestamps": [b"yesterday", b"today"]})
