"""Names of nodes: as tasks of Kubeflow Pipelines, and as keys of per-node settings."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from trainer.nearest import hint
from trainer.settings import ConfigError

T = TypeVar("T")

DEFAULT = "default"
_NUMBER = re.compile(r"_\d+$")


def task_name(node: str) -> str:
    """The name of a node's task: `Trainer.cluster_0` is `Trainer-cluster-0`.

    The backend makes Argo task names of them, which may hold letters, digits and hyphens only.
    """
    return re.sub(r"[^A-Za-z0-9]+", "-", node)


def classes(node: str) -> list[str]:
    """What per-node settings may call a node, the most general name first.

    `Trainer.cluster_0` is "default", "Trainer", "Trainer.cluster", "Trainer.cluster_0".
    """
    names = [DEFAULT, node.partition(".")[0], _NUMBER.sub("", node), node]
    return list(dict.fromkeys(names))


def check_names(given: Iterable[str], nodes: Collection[str], setting: str) -> None:
    """Checks that every name of a per-node setting is a node or a class of nodes.

    Raises:
        ConfigError: naming the unknown one, and the nearest known.
    """
    known = list(dict.fromkeys(name for node in nodes for name in classes(node)))
    for name in given:
        if name in known:
            continue
        raise ConfigError(f"{setting}: the pipeline has no node {name!r}; {hint(name, known)}")


def matching(settings: Mapping[str, T], node: str) -> list[T]:
    """The values that a per-node setting has for a node, the most general first."""
    return [settings[name] for name in classes(node) if name in settings]
