"""Sphinx extension: arguments of classes whose metaclass hides them (Keras layers, TFX nodes)."""

from __future__ import annotations

import inspect
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.inspect import stringify_signature

_HIDDEN = ("(*args, **kwargs)", "(*args: Any, **kwargs: Any)")


def _arguments(
    app: Sphinx, what: str, name: str, subject: Any, options: Any, signature: str, returns: str
) -> tuple[str, str] | None:
    """The signature of `__init__` in place of the metaclass's; None leaves what there is."""
    if what != "class" or signature not in _HIDDEN:
        return None
    _, *arguments = inspect.signature(subject.__init__).parameters.values()
    return stringify_signature(inspect.Signature(arguments), unqualified_typehints=True), returns


def setup(app: Sphinx) -> dict[str, Any]:
    """Registers the extension."""
    app.connect("autodoc-process-signature", _arguments)
    return {"version": "1", "parallel_read_safe": True}
