"""One PredictRequest on one loaded model."""

from __future__ import annotations

from typing import Any

import grpc

from cohortrec_client.serving_messages import predict_pb2
from components.infra_validator.stand_in.refusal import Refusal
from components.infra_validator.stand_in.saved_model import SavedModel
from components.infra_validator.stand_in.tensor_messages import to_array, to_message

DEFAULT_SIGNATURE = "serving_default"


def predict(model: SavedModel, request: Any, timeout: float) -> Any:
    """Answers a request.

    Args:
        model: the model that it is for.
        request: a PredictRequest.
        timeout: seconds that the model may take.

    Returns:
        A PredictResponse; of its model spec only the signature is filled in.

    Raises:
        Refusal: there is no such signature, or the inputs are not its.
    """
    signature = request.model_spec.signature_name or DEFAULT_SIGNATURE
    if signature not in model.signatures:
        raise Refusal(
            grpc.StatusCode.FAILED_PRECONDITION,
            f'Serving signature key "{signature}" not found.',
        )
    inputs = {name: to_array(message) for name, message in request.inputs.items()}
    outputs = model.run(signature, inputs, timeout, list(request.output_filter))
    answer = predict_pb2.PredictResponse()
    answer.model_spec.signature_name = signature
    for name, values in outputs.items():
        answer.outputs[name].CopyFrom(to_message(values))
    return answer
