"""The one configuration of a run: all sections, presets, files and `--set` overrides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import pydantic

from components.behavior_example_gen.config import DataConfig
from components.cluster_combiner.config import CombinerConfig
from components.gates.config import GatesConfig
from components.infra_validator.config import InfraConfig
from components.item_content_encoder.config import ContentConfig
from components.sequence_clusterer.config import ClusteringConfig
from tfx_pipeline.settings.beam_config import BeamConfig
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from tfx_pipeline.settings.kubeflow_config import KubeflowConfig
from tfx_pipeline.settings.settings_yaml import RepeatedKey, YamlFault, parse_yaml
from trainer.behavior_config import BehaviorConfig
from trainer.config import (
    EncoderConfig,
    FeaturesConfig,
    ServingConfig,
    SpecialistConfig,
    TrainingConfig,
)
from trainer.evaluation_config import EvaluationConfig
from trainer.nearest import nearest
from trainer.settings import ConfigError, Settings
from trainer.training.tuning_config import TuningConfig

PRESETS = Path(__file__).parent / "presets"


class RunSettings(Settings):
    """What a run is about as a whole."""

    name: Annotated[str, pydantic.Field(pattern=r"^[a-z][a-z0-9-]{0,40}$")] = "cohortrec"
    """Name of the pipeline in ML Metadata and Kubeflow."""
    events: tuple[str, ...] = ()
    """Event files: paths, folders, globs, or `package:NAME/path` for a file of a Python package."""
    items: tuple[str, ...] = ()
    """Item files, in the same forms."""
    max_clusters: Annotated[int, pydantic.Field(ge=1, le=64)] = 4
    """How many specialist Trainers the DAG has; the clusterer may choose fewer clusters."""
    seed: Annotated[int, pydantic.Field(ge=0, lt=2**31)] = 1
    """The seed of everything random; sections with a seed of their own take it from here."""
    shown_customers: Annotated[int, pydantic.Field(ge=0)] = 3
    """Customers whose recommendations are printed at the end."""


class RunConfig(Settings):
    """All settings of a run, a section for each part."""

    run: RunSettings = RunSettings()
    data: DataConfig = DataConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    content: ContentConfig = ContentConfig()
    features: FeaturesConfig = FeaturesConfig()
    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()
    tuning: TuningConfig = TuningConfig()
    clustering: ClusteringConfig = ClusteringConfig()
    specialists: SpecialistConfig = SpecialistConfig()
    combiner: CombinerConfig = CombinerConfig()
    behavior_head: BehaviorConfig = BehaviorConfig()
    serving: ServingConfig = ServingConfig()
    gates: GatesConfig = GatesConfig()
    deployment: DeploymentConfig = DeploymentConfig()
    infra: InfraConfig = InfraConfig()
    beam: BeamConfig = BeamConfig()
    kubeflow: KubeflowConfig = KubeflowConfig()


def preset_names() -> list[str]:
    """Names of the presets that come with the project."""
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def load_config(
    presets: Sequence[str] = (),
    file: Path | None = None,
    overrides: Sequence[str] = (),
    **run: Any,
) -> RunConfig:
    """Composes the configuration; later sources win over earlier ones.

    Args:
        presets: names from `preset_names`, applied in order onto the defaults.
        file: a YAML file with the same sections.
        overrides: `section.key=value` each, the value read as YAML.
        run: settings of the section `run` that were given on the command line.

    Raises:
        ConfigError: naming the unknown preset, file or setting (with the nearest known name), or
            the value that does not fit.
    """
    values: dict[str, Any] = {}
    for preset in presets:
        _merge(values, _read_preset(preset))
    if "events" in run:
        # Events of one's own never go with the items or the labels of a preset's shop.
        run.setdefault("items", ())
        values.get("clustering", {}).pop("labels", None)
    if file is not None:
        _merge(values, _read_yaml(file, f"config file {str(file)!r}"))
    for override in overrides:
        _merge(values, _parse_override(override))
    if run:
        _merge(values, {"run": run})
    _check_sections(values)
    config = RunConfig.from_dict(_with_one_seed(values))
    config.clustering.check_against(config.run.max_clusters)
    config.beam.check()
    config.evaluation.check_against(config.data.split)
    config.behavior_head.check_against(config.data.split)
    if config.tuning.enabled:
        config.tuning.check_against(config)
    return config


def _read_preset(name: str) -> dict[str, Any]:
    path = PRESETS / f"{name}.yaml"
    if not path.is_file():
        raise ConfigError(f"unknown preset {name!r}; {_nearest(name, preset_names())}")
    return _read_yaml(path, f"preset {name!r}")


def _read_yaml(path: Path, what: str) -> dict[str, Any]:
    try:
        values = parse_yaml(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ConfigError(f"{what} does not exist") from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise ConfigError(f"{what}: line {line} is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{what} cannot be read: {error.strerror}") from None
    except YamlFault as error:
        raise ConfigError(f"{what} is not valid YAML: {error}") from None
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"{what} must hold sections such as 'data:', not a {_kind(values)}")
    return values


def _parse_override(override: str) -> dict[str, Any]:
    """`section.key=value` as nested mappings."""
    name, equals, text = override.partition("=")
    parts = name.strip().split(".")
    if not equals or not all(parts):
        raise ConfigError(f"--set {override!r}: write it as section.key=value")
    try:
        value = parse_yaml(text)
    except RepeatedKey as error:
        raise ConfigError(f"--set {override!r}: {error}") from None
    except YamlFault:
        # Text that is no YAML (a lone quote or bracket, say) is meant as it stands.
        value = text
    for part in reversed(parts):
        value = {part: value}
    return value


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    """Updates nested mappings in place; anything that is not a mapping is replaced."""
    for key, value in values.items():
        if isinstance(value, Mapping) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = dict(value) if isinstance(value, Mapping) else value


def _check_sections(values: Mapping[str, Any]) -> None:
    """Explains a setting that was given without its section, or a section that is none."""
    sections = RunConfig.model_fields
    for name, value in values.items():
        if name not in sections:
            name = str(name)
            raise ConfigError(f"unknown setting {name!r}; {_nearest(name, _all_names())}")
        if not isinstance(value, Mapping):
            raise ConfigError(
                f"section {name!r} must hold settings, not {value!r}; "
                f"known here: {', '.join(sorted(_section(name).model_fields))}"
            )


def _section(name: str) -> type[Settings]:
    section = RunConfig.model_fields[name].annotation
    assert isinstance(section, type)
    assert issubclass(section, Settings)
    return section


def _all_names() -> list[str]:
    """Sections, and every setting with its section."""
    names = list(RunConfig.model_fields)
    for section in RunConfig.model_fields:
        names += [f"{section}.{key}" for key in _section(section).model_fields]
    return names


def _nearest(name: str, known: Iterable[str]) -> str:
    """A hint at the known name that is most like the unknown one."""
    known = list(known)
    last_parts = {candidate.split(".")[-1]: candidate for candidate in reversed(known)}
    near = nearest(name, [*known, *last_parts], cutoff=0.6)
    if near:
        return f"did you mean {last_parts.get(near, near)!r}?"
    return f"known: {', '.join(candidate for candidate in known if '.' not in candidate)}"


def _with_one_seed(values: dict[str, Any]) -> dict[str, Any]:
    """Hands the run's seed to every section that has one and was not given another."""
    seed = RunSettings.from_dict(values.get("run", {}), "run.").seed
    for name in RunConfig.model_fields:
        if name != "run" and "seed" in _section(name).model_fields:
            values.setdefault(name, {}).setdefault("seed", seed)
    return values


def _kind(value: Any) -> str:
    return "list" if isinstance(value, list) else type(value).__name__
