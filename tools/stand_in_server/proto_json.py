"""Protocol buffers as JSON with every field, as TensorFlow Serving writes them."""

from __future__ import annotations

import inspect

from google.protobuf import json_format
from google.protobuf.message import Message

# The option has another name from protobuf 5 on. This is all that the stacks differ in.
_EVERY_FIELD = next(
    name
    for name in ("always_print_fields_with_no_presence", "including_default_value_fields")
    if name in inspect.signature(json_format.MessageToJson).parameters
)


def proto_json(message: Message) -> str:
    """The message as JSON text, fields that are not set included, names as in the .proto file."""
    return json_format.MessageToJson(
        message, preserving_proto_field_name=True, **{_EVERY_FIELD: True}
    )
