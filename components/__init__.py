"""The TFX components that cohortrec adds, a folder each: spec, component, executor, README."""

from typing import Any

import trainer  # noqa: F401  (sets the Keras switches before TensorFlow is imported)


def __getattr__(name: str) -> Any:
    """Hands out the artifact types, whose names Kubeflow resolves here (see `artifacts`).

    Only when asked: they need TFX, which takes many seconds to import.
    """
    if name[:1].isupper():
        from components import artifacts

        return getattr(artifacts, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
