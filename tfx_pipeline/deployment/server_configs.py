"""What TensorFlow Serving reads beside the versions: models.config and its companions.

`models.config` has a server load every visible version. A server takes a label's move only to a
version that it has loaded, and drops the whole file otherwise, so that a file which brings a new
version and labels it at once would never be taken. Loading follows the folders, labels follow the
file: the server goes on with the old labels until the version is there, and tries again at every
poll.
"""

from __future__ import annotations

from tfx_pipeline.settings.deployment_config import BatchingConfig, DeploymentConfig
from trainer.serving.version_labels import CANARY, STABLE, VersionLabels

BATCHING_CONFIG = "batching.config"
MONITORING_CONFIG = "monitoring.config"
MONITORING_PATH = "/monitoring/prometheus/metrics"
HEADER = "# Written by cohortrec at every push, promotion and rollback; edits are lost.\n"


def models_config(config: DeploymentConfig, labels: VersionLabels) -> str:
    """A ModelServerConfig in text form, for `--model_config_file`.

    Args:
        config: name and path of the model.
        labels: the version of each label; labels without one are left out.
    """
    from google.protobuf import text_format
    from tensorflow_serving.config import model_server_config_pb2

    server = model_server_config_pb2.ModelServerConfig()
    model = server.model_config_list.config.add(
        name=config.model_name, base_path=config.server_path, model_platform="tensorflow"
    )
    model.model_version_policy.all.SetInParent()
    for label, version in ((STABLE, labels.stable), (CANARY, labels.canary)):
        if version is not None:
            model.version_labels[label] = version
    return HEADER + text_format.MessageToString(server)


def batching_config(batching: BatchingConfig) -> str:
    """BatchingParameters in text form, for `--batching_parameters_file`."""
    return (
        f"{HEADER}"
        "# Requests of different shapes are never padded to one: the padding would count as\n"
        "# items of the history.\n"
        f"max_batch_size {{ value: {batching.max_batch_size} }}\n"
        f"batch_timeout_micros {{ value: {batching.timeout_micros} }}\n"
        f"max_enqueued_batches {{ value: {batching.max_enqueued_batches} }}\n"
        f"num_batch_threads {{ value: {batching.threads} }}\n"
        "pad_variable_length_inputs: false\n"
    )


def monitoring_config() -> str:
    """A MonitoringConfig in text form, for `--monitoring_config_file`: Prometheus, over REST."""
    return f'{HEADER}prometheus_config {{ enable: true path: "{MONITORING_PATH}" }}\n'
