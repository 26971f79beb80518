"""The type of settings that name an action of the log."""

from __future__ import annotations

from typing import Annotated

import pydantic


def action_name(name: str) -> str:
    """The name, if it is one.

    Raises:
        ValueError: it is blank, or has a control character.
    """
    if not name.strip() or not name.isprintable():
        raise ValueError(f"{name!r} is no name for an action")
    return name


ActionName = Annotated[str, pydantic.BeforeValidator(str), pydantic.AfterValidator(action_name)]
"""YAML reads a bare 1 as a number; names of actions are text."""
