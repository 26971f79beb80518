"""Which settings a benchmark may change: those that leave the published protocol as it is.

The protocol says which users are asked, for which item, and among which items. Whatever is not
listed here stays as the preset has it, so that a new setting is refused until somebody has decided
about it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

from tfx_pipeline.settings.run_config import RunConfig
from trainer.settings import ConfigError, Settings

FED_EVENTS = 50
LEAST_TOP_K = 20


class _Bound(NamedTuple):
    """What a setting may be."""

    words: str
    holds: Callable[[Any], bool]


_RECIPE = ("content", "encoder", "training", "tuning", "clustering", "specialists", "combiner")
_SURROUNDINGS = ("run", "gates", "deployment", "infra", "beam", "kubeflow")
_SINGLE = (
    *("features.min_category_count", "features.max_categories", "features.max_actions"),
    # Of the order inside instants; sequence files keep theirs.
    "data.seed",
    # Of the lists that are served; the ranks are those among all items.
    *("serving.index", "serving.exact_items", "serving.index_recall"),
)
_MAY_CHANGE = frozenset((*_RECIPE, *_SURROUNDINGS, *_SINGLE))
_STAYS = frozenset(
    {
        # A model is wanted whatever the gates say, and a second run must say the same.
        *("gates.mode", "gates.against"),
        # Clusters of an earlier run may have been learnt from other users or later events.
        "clustering.start_from",
    }
)
# How a log with times is read, and which of its rows are returns. The ids that it has are not
# chosen by any of them.
_READING = (
    *("format", "columns", "actions", "default_action", "max_bad_fraction"),
    *("separator", "quoting", "encoding", "decimal_mark", "timestamp_format"),
    *("earliest", "latest"),
    *(f"cancellation.{name}" for name in ("negative_quantity", "column", "prefix", "actions")),
)
OF_LOGS = frozenset(f"data.{name}" for name in _READING)
"""Settings that a benchmark of a log with times may change too."""
_BOUNDS: Mapping[str, _Bound] = {
    "encoder.max_events": _Bound(f"at most {FED_EVENTS}", lambda value: value <= FED_EVENTS),
    "serving.top_k": _Bound(f"at least {LEAST_TOP_K}", lambda value: value >= LEAST_TOP_K),
}


def check_protocol(
    config: RunConfig, protocol: RunConfig, also: Collection[str] = frozenset()
) -> None:
    """Figures that do not compare with the published ones must not stand beside them.

    Args:
        config: of the benchmark.
        protocol: the settings of the preset alone.
        also: names of settings that may change here, beside those that always may.

    Raises:
        ConfigError: naming the setting that leaves the protocol, and what it must be.
    """
    for name, value, needed in _changes(config, protocol):
        bound = _BOUNDS.get(name)
        if bound is None and (name in also or _may_change(name)):
            continue
        if bound is not None and bound.holds(value):
            continue
        words = bound.words if bound else _written(needed)
        raise ConfigError(
            f"{name} must be {words} in a benchmark, whose figures follow the published protocol; "
            "use cohortrec run for other settings"
        )


def _changes(given: Settings, preset: Settings, at: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Name, value and the preset's value of each setting that differs."""
    for name in type(given).model_fields:
        value, needed = getattr(given, name), getattr(preset, name)
        if isinstance(value, Settings) and isinstance(needed, Settings):
            yield from _changes(value, needed, f"{at}{name}.")
        elif value != needed:
            yield f"{at}{name}", value, needed


def _may_change(name: str) -> bool:
    return name not in _STAYS and bool({name, name.partition(".")[0]} & _MAY_CHANGE)


def _written(value: Any) -> str:
    """A value as settings files have it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
