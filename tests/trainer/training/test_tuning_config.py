"""The search space, and putting values into the settings by their names."""

import pytest

from trainer.config import EncoderConfig, TrainingConfig
from trainer.settings import ConfigError, Settings
from trainer.training.tuning_config import Range, TuningConfig


class Sections(Settings):
    encoder: EncoderConfig = EncoderConfig()
    training: TrainingConfig = TrainingConfig()


def test_values_go_where_their_names_say():
    config = Sections().updated({"training.learning_rate": 2e-3, "encoder.layers": 3})
    assert config.training.learning_rate == 2e-3
    assert config.encoder.layers == 3
    assert config.encoder.width == Sections().encoder.width


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("training.learnig_rate", 1e-3, "did you mean 'training.learning_rate'"),
        ("trainig.learning_rate", 1e-3, "unknown setting 'trainig'; did you mean 'training'"),
        ("encoder.width.large", 64, "unknown setting 'encoder.width.large'; 'width' is not a sec"),
        ("encoder.dropout", 1.5, "setting 'encoder.dropout': .*less than or equal to 1"),
        ("encoder.width", 33, "width 33 is not a multiple of heads 2"),
    ],
)
def test_a_wrong_name_or_value_is_named(name, value, message):
    with pytest.raises(ConfigError, match=message):
        Sections().updated({name: value})


def test_the_space_consists_of_settings_around_their_defaults():
    space = TuningConfig().space()
    assert set(space) == {
        "training.learning_rate",
        "training.warmup_share",
        "training.weight_decay",
        "encoder.dropout",
        "encoder.width",
        "encoder.layers",
    }
    TuningConfig().check_against(Sections())
    for name, values in space.items():
        section, key = name.split(".")
        default = getattr(getattr(Sections(), section), key)
        if isinstance(values, Range):
            assert values.low < default < values.high
        else:
            assert default in values


def test_null_leaves_a_setting_alone():
    tuning = TuningConfig.from_dict({"learning_rate": [1e-4, 1e-2], "width": None, "dropout": None})
    assert tuning.space()["training.learning_rate"] == Range(1e-4, 1e-2, logarithmic=True)
    assert "encoder.width" not in tuning.space()
    assert "encoder.dropout" not in tuning.space()
    everything = dict.fromkeys(name.split(".")[1] for name in TuningConfig().space())
    with pytest.raises(ConfigError, match="nothing to search"):
        TuningConfig.from_dict({"enabled": True, **everything})


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"learning_rate": [1e-2, 1e-3]}, "low below high"),
        ({"weight_decay": [0.0, 1e-3]}, "greater than 0"),
        ({"dropout": [0.1, 1.5]}, "less than or equal to 1"),
        ({"width": [64]}, "at least 2 values"),
        ({"layers": [1, 1]}, "stands there twice"),
    ],
)
def test_wrong_bounds_are_refused(setting, message):
    with pytest.raises(ConfigError, match=f"{next(iter(setting))}.*{message}"):
        TuningConfig.from_dict(setting)


def test_a_size_that_does_not_fit_the_other_settings_is_refused_before_the_run():
    tuning = TuningConfig(width=(32, 50))
    config = Sections().updated({"encoder.heads": 4})
    with pytest.raises(ConfigError, match="tuning.width: 50 cannot be tried.*multiple of heads 4"):
        tuning.check_against(config)
