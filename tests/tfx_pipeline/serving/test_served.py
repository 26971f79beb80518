"""Finding models and what they carry."""

import json

import polars
import pytest

from tfx_pipeline.deployment.server_configs import models_config
from tfx_pipeline.paths.inputs import InputError
from tfx_pipeline.serving.served import find_model, item_titles, model_id, served_version
from tfx_pipeline.serving.titled_recommender import parse_history
from tfx_pipeline.settings.deployment_config import DeploymentConfig
from trainer.serving.version_labels import VersionLabels


def _model(folder):
    folder.mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def test_a_model_is_found_wherever_a_user_points(tmp_path):
    _model(tmp_path / "serving" / "9")
    newest = _model(tmp_path / "serving" / "10")
    (tmp_path / "serving" / "11").mkdir()
    for place in (tmp_path, tmp_path / "serving", newest):
        assert find_model(place) == newest


def test_the_stable_version_is_what_is_served(tmp_path):
    serving = tmp_path / "serving"
    for version in ("1", "2", "3"):
        _model(serving / version)
    labels = VersionLabels(stable=2, canary=3)
    (serving / "models.config").write_text(models_config(DeploymentConfig(), labels))
    assert find_model(tmp_path) == find_model(serving) == serving / "2"
    assert find_model(serving / "3") == serving / "3"
    # Never a newer one than what was made stable.
    (serving / "2" / "saved_model.pb").unlink()
    assert served_version(serving) == serving / "1"


def test_no_model_is_explained(tmp_path):
    with pytest.raises(InputError, match="it holds no SavedModel"):
        find_model(tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        find_model(tmp_path / "none")
    assert served_version(tmp_path / "none") is None


def test_identity_and_titles(tmp_path):
    model = _model(tmp_path / "1")
    assert model_id(model) is None
    assert item_titles(model) == {}
    extra = _model(tmp_path / "2") / "assets.extra"
    extra.mkdir()
    (extra / "model.json").write_text(json.dumps({"id": "abc"}))
    polars.DataFrame(
        {
            "item_id": ["1", "2", "3"],
            "title": ["Tea", "", None],
            "category": ["Drinks", "Soap", None],
            "brand": ["A", "B", None],
        }
    ).write_parquet(extra / "items.parquet")
    assert model_id(tmp_path / "2") == "abc"
    assert item_titles(tmp_path / "2") == {"1": "Tea", "2": "Soap, B", "3": ""}


def test_histories_may_hold_commas_in_quotes():
    assert parse_history("") == []
    assert parse_history("007, b") == ["007", "b"]
    assert parse_history('"a,b",c') == ["a,b", "c"]
