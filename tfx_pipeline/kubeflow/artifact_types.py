"""Types of a task's input artifacts, which the open-source backend does not hand on.

TFX makes its artifact objects from the types in the ExecutorInput. Vertex AI fills them in; the
open-source backend gives an empty schema, and releases without ML Metadata the title `Artifact`
(https://github.com/tensorflow/tfx/issues/7768). The component's own declaration of its inputs,
which TFX puts among the arguments of the container, has the right ones.
"""

from __future__ import annotations

from typing import Any


def restore_types(executor_input: dict[str, Any], inputs_spec: dict[str, Any]) -> None:
    """Gives every input artifact the type that the component declares.

    Args:
        executor_input: as JSON; changed in place.
        inputs_spec: the component's `inputDefinitions`, as JSON.

    Raises:
        KeyError: an input is not declared.
    """
    declared = inputs_spec.get("artifacts", {})
    for name, listed in executor_input.get("inputs", {}).get("artifacts", {}).items():
        for artifact in listed["artifacts"]:
            artifact["type"] = declared[name]["artifactType"]
