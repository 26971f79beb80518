"""Settings of the check that a model server can serve the model."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from trainer.settings import Settings


class InfraConfig(Settings):
    """How the InfraValidator asks the model server. Compiled pipelines have none."""

    examples: Annotated[int, Field(ge=1, le=1000)] = 4
    """How many training histories are sent, each to every signature that clients use."""
    max_loading_seconds: Annotated[int, Field(ge=1)] = 300
    """How long the server may take to load the model, with its warm-up requests."""
