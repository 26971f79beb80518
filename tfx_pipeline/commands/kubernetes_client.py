"""Imports the client of Kubernetes, which TFX and kfp import, without what it does not need."""

from __future__ import annotations

import sys

_OPTIONAL = "kubernetes_validate"


def import_client() -> None:
    """Imports the client before others do, and in a sixth of the time.

    It imports `kubernetes_validate` where that is installed, as here for the tests of manifests.
    That builds the grammar of all web addresses for three seconds, and nothing uses it.
    """
    if _OPTIONAL in sys.modules:
        return
    # None makes the import fail, which the client is prepared for.
    sys.modules[_OPTIONAL] = None  # type: ignore[assignment]
    try:
        import kubernetes  # noqa: F401
    finally:
        del sys.modules[_OPTIONAL]
