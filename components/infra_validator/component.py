"""InfraValidator as a TFX component."""

from __future__ import annotations

from tfx.components.infra_validator import component
from tfx.dsl.components.base import base_component, executor_spec
from tfx.proto import infra_validator_pb2
from tfx.types import BaseChannel, component_spec, standard_artifacts, standard_component_specs
from tfx.types.channel import Channel

from components.infra_validator.config import InfraConfig
from components.infra_validator.executor import Executor
from components.infra_validator.model_server import ModelServer
from trainer.raw_history import TRAIN

MODEL_NAME = "candidate"
TRIES = 2
"""The second is for accidents, such as a port that somebody else took."""

SIGNATURES = ("serving_default", "embed")
"""Asked by TFX's own requests; `recommend` is asked beside them."""


class InfraValidatorSpec(standard_component_specs.InfraValidatorSpec):
    """TFX's, with the server to run and what the cache has to see."""

    PARAMETERS = {
        **standard_component_specs.InfraValidatorSpec.PARAMETERS,
        "model_server": component_spec.ExecutionParameter(type=str),
        "server_version": component_spec.ExecutionParameter(type=str),
        "code_version": component_spec.ExecutionParameter(type=str),
        "nonce": component_spec.ExecutionParameter(type=str),
    }


class InfraValidator(component.InfraValidator):
    """Serves the model in a model server on this machine and asks it; see the README.

    Outputs:
        blessing: InfraBlessing; the Pusher pushes only what is blessed. `infra_validation.json`
            beside TFX's marker says what served the model and why it was refused.
    """

    SPEC_CLASS = InfraValidatorSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        model: BaseChannel,
        examples: BaseChannel,
        config: InfraConfig,
        server: ModelServer,
        code_version: str = "",
        nonce: str = "",
    ) -> None:
        """Makes the node.

        Args:
            model: the candidate.
            examples: raw histories with the split train, of which requests are made.
            config: settings.
            server: what to run.
            code_version: changes when the code does.
            nonce: a new one tries again although nothing changed.
        """
        spec = InfraValidatorSpec(
            model=model,
            examples=examples,
            blessing=Channel(type=standard_artifacts.InfraBlessing),
            serving_spec=infra_validator_pb2.ServingSpec(
                model_name=MODEL_NAME,
                # TFX runs one server for each tag; of the image nothing is used here.
                tensorflow_serving=infra_validator_pb2.TensorFlowServing(tags=["local"]),
            ),
            validation_spec=infra_validator_pb2.ValidationSpec(
                max_loading_time_seconds=config.max_loading_seconds, num_tries=TRIES
            ),
            request_spec=infra_validator_pb2.RequestSpec(
                tensorflow_serving=infra_validator_pb2.TensorFlowServingRequestSpec(
                    signature_names=list(SIGNATURES)
                ),
                split_name=TRAIN,
                num_examples=config.examples,
            ),
            model_server=server.binary,
            server_version=server.version,
            code_version=code_version,
            nonce=nonce,
        )
        # TFX's own constructor would make its own spec.
        base_component.BaseComponent.__init__(self, spec=spec)
