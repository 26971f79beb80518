"""An interrupted training goes on where it was."""

from __future__ import annotations

import json

import pytest

from tests.helpers.trainer_runs import ONE_MEMBER, fn_args
from trainer.encoder_trainer import run_fn
from trainer.training import callbacks
from trainer.training.fit import checkpoint_folder

pytestmark = pytest.mark.slow


@pytest.mark.usefixtures("without_export")
def test_restarted_run_resumes(tiny_shop, tmp_path, monkeypatch, caplog):
    class PowerCutError(Exception):
        pass

    def cut(self, epoch, logs=None):
        if epoch == 3:
            raise PowerCutError

    settings = {**ONE_MEMBER, "training": {**ONE_MEMBER["training"], "epochs": 6}}
    args = fn_args(tmp_path, tiny_shop, settings)
    with monkeypatch.context() as patch:
        patch.setattr(callbacks.EpochProgress, "on_epoch_end", cut)
        with pytest.raises(PowerCutError):
            run_fn(args)
    checkpoints = tmp_path / "checkpoints"
    assert list(checkpoints.rglob("epochs.json"))

    # A new execution writes elsewhere; the checkpoints stay where they are.
    args.serving_model_dir = str(tmp_path / "second" / "model")
    args.model_run_dir = str(tmp_path / "second" / "run")
    caplog.clear()
    with caplog.at_level("INFO", logger="cohortrec.progress"):
        run_fn(args)
    assert any(record.message.startswith("resumed after epoch") for record in caplog.records)
    shown = [r.message for r in caplog.records if r.message.startswith("epoch ")]
    assert 1 <= len(shown) <= 3  # three of six epochs were done before
    figures = json.loads((tmp_path / "second" / "run" / "training.json").read_text())
    assert [e["epoch"] for e in figures["epochs"]] == [1, 2, 3, 4, 5, 6]
    assert not list(checkpoints.iterdir())


def test_other_settings_do_not_resume(tiny_shop, tmp_path):
    same = [checkpoint_folder(str(tmp_path), "encoder", tiny_shop.train, "a") for _ in range(2)]
    other = checkpoint_folder(str(tmp_path), "encoder", tiny_shop.train, "b")
    assert same[0] == same[1] != other
