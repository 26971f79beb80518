"""The files beside the versions, read as TensorFlow Serving reads them."""

import pytest
from google.protobuf import descriptor_pb2, message_factory, text_format
from tensorflow_serving.config import model_server_config_pb2

from tfx_pipeline.deployment.server_configs import (
    MONITORING_PATH,
    batching_config,
    models_config,
    monitoring_config,
)
from tfx_pipeline.settings.deployment_config import BatchingConfig, DeploymentConfig
from tfx_pipeline.settings.run_config import load_config
from trainer.serving.version_labels import VersionLabels, version_numbers
from trainer.settings import ConfigError


def parsed_models_config(config, labels):
    text = models_config(config, labels)
    server = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    (model,) = server.model_config_list.config
    return model


def test_servers_load_every_version_and_know_the_labels():
    model = parsed_models_config(DeploymentConfig(model_name="shop"), VersionLabels(7, 9))
    assert (model.name, model.base_path) == ("shop", "/models/shop")
    assert model.model_platform == "tensorflow"
    # Labels move only to loaded versions: what is loaded must not hang on the same file.
    assert model.model_version_policy.WhichOneof("policy_choice") == "all"
    assert dict(model.version_labels) == {"stable": 7, "canary": 9}


def test_where_servers_see_the_versions_can_be_set():
    config = DeploymentConfig(base_path="/mnt/shop/serving/")
    assert parsed_models_config(config, VersionLabels()).base_path == "/mnt/shop/serving"


def test_labels_are_read_back():
    text = models_config(DeploymentConfig(), VersionLabels(7, 9))
    assert VersionLabels.parse(text, "here") == VersionLabels(7, 9)
    assert VersionLabels.parse("", "here") == VersionLabels()
    with pytest.raises(ConfigError, match="x/models.config is not a model server config"):
        VersionLabels.parse("model_config_list { oops", "x/models.config")


def test_only_versions_up_to_the_stable_one_count_as_served():
    assert VersionLabels(2, 3).served_order([1, 2, 3]) == [2, 1]
    assert VersionLabels().served_order([1, 2, 3]) == [3, 2, 1]
    assert VersionLabels(2, 3).served_order([1, 3]) == [1]
    names = ["10", "9", "models.config", ".push-1", "007", "٣", "0", "withdrawn"]
    assert version_numbers(names) == [9, 10]


def message(name, **fields):
    """An instance of a message that tensorflow-serving-api does not ship.

    The fields are declared here as session_bundle_config.proto and monitoring_config.proto of
    TensorFlow Serving have them: field to its number and type.
    """
    file = descriptor_pb2.FileDescriptorProto(name=f"{name}.proto", package=name, syntax="proto3")
    wrapper = file.message_type.add(name="Int64Value")
    wrapper.field.add(name="value", number=1, type=3, label=1)
    prometheus = file.message_type.add(name="PrometheusConfig")
    prometheus.field.add(name="enable", number=1, type=8, label=1)
    prometheus.field.add(name="path", number=2, type=9, label=1)
    declared = file.message_type.add(name=name)
    for field, (number, kind) in fields.items():
        if isinstance(kind, str):
            declared.field.add(
                name=field, number=number, type=11, type_name=f".{name}.{kind}", label=1
            )
        else:
            declared.field.add(name=field, number=number, type=kind, label=1)
    return message_factory.GetMessages([file])[f"{name}.{name}"]()


def test_batching_parameters():
    parameters = message(
        "BatchingParameters",
        max_batch_size=(1, "Int64Value"),
        batch_timeout_micros=(2, "Int64Value"),
        max_enqueued_batches=(3, "Int64Value"),
        num_batch_threads=(4, "Int64Value"),
        pad_variable_length_inputs=(7, 8),
    )
    text_format.Parse(batching_config(BatchingConfig(max_batch_size=32, threads=3)), parameters)
    assert parameters.max_batch_size.value == 32
    assert parameters.batch_timeout_micros.value == 1000
    assert parameters.max_enqueued_batches.value == 100
    assert parameters.num_batch_threads.value == 3
    assert not parameters.pad_variable_length_inputs


def test_monitoring_config():
    monitoring = message("MonitoringConfig", prometheus_config=(1, "PrometheusConfig"))
    text_format.Parse(monitoring_config(), monitoring)
    assert monitoring.prometheus_config.enable
    assert monitoring.prometheus_config.path == MONITORING_PATH


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("deployment.model_name=My Shop", "'deployment.model_name'"),
        ("deployment.kept_versions=1", "'deployment.kept_versions'"),
        ("deployment.base_path=models", "'deployment.base_path'"),
        ("deployment.promote=never", "'deployment.promote'"),
        ("deployment.poll_seconds=30", "grace_seconds 20 must be more than poll_seconds 30"),
        ("deployment.kubernetes.memory=2 GB", "'deployment.kubernetes.memory'"),
        ("deployment.kubernetes.canary_percent=100", "'deployment.kubernetes.canary_percent'"),
        ("deployment.replicas=3", "unknown setting 'deployment.replicas'"),
    ],
)
def test_wrong_settings_are_named(override, message):
    with pytest.raises(ConfigError, match=message):
        load_config(overrides=[override])
