"""The two run functions on a tiny shop: they learn, save, reload and stop early."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.raw_histories import raw_history, write_records
from tests.helpers.trainer_runs import ONE_MEMBER, TINY, fn_args
from trainer import encoder_trainer, specialist_trainer
from trainer.data.encoder_data import TrainingDataError
from trainer.data.histories import read_histories
from trainer.data.sampling import training_samples
from trainer.serving.export import KERAS_FILE, load_encoder
from trainer.shelves import SIGNATURES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trained(tiny_shop, tmp_path_factory):
    directory = tmp_path_factory.mktemp("encoder")
    encoder_trainer.run_fn(fn_args(directory, tiny_shop, TINY))
    return directory


def test_encoder_learns_the_circles(trained):
    figures = json.loads((trained / "run" / "training.json").read_text())
    assert figures["status"] == "trained"
    assert figures["epochs"][-1]["loss"] < 0.7 * figures["epochs"][0]["loss"]
    # A random ranking of 20 items gives about 0.23; the circles are learnable almost fully.
    assert max(e["val_ndcg@10"] for e in figures["epochs"]) > 0.7
    assert figures["derived"]["own_items"]["value"] is True
    assert list((trained / "run" / "tensorboard").rglob("events*"))
    assert not (trained / "checkpoints").exists() or not list((trained / "checkpoints").iterdir())


def test_saved_signatures_answer(trained, tiny_shop):
    model = tf.saved_model.load(str(trained / "model"))
    served = {"serving_default", "embed", "evaluate", *SIGNATURES.values()}
    assert set(model.signatures) == {*served, "represent"}  # the last for the clusterer alone
    out = model.signatures["serving_default"](examples=tf.constant(tiny_shop.raw))
    assert out["item_ids"].shape == (60, 20)
    assert out["scores"].dtype == tf.float32
    assert out["cluster_weights"].shape == (60, 1)
    assert (np.diff(out["scores"].numpy(), axis=1) <= 0).all()
    ranks = model.signatures["evaluate"](examples=tf.constant(tiny_shop.raw))["rank"].numpy()
    assert (ranks >= 1).all()
    assert (ranks <= 20).all()


@pytest.mark.usefixtures("without_export")
def test_same_seed_same_weights(trained, tiny_shop, tmp_path):
    encoder_trainer.run_fn(fn_args(tmp_path, tiny_shop, TINY))
    first, second = (load_encoder(str(folder / "model")) for folder in (trained, tmp_path))
    for one, other in zip(first.weights, second.weights, strict=True):
        np.testing.assert_array_equal(one, other, err_msg=one.path)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_specialist_keeps_the_item_table(trained, tiny_shop, tmp_path, method):
    settings = {
        "specialists": {
            "method": method,
            "lora_rank": 2,
            "epochs": 3,
            "learning_rate": 0.01,
            "patience": 3,
            "min_samples": 10,
        }
    }
    args = fn_args(tmp_path, tiny_shop, settings, name="cluster_0")
    args.base_model = str(trained / "model")
    specialist_trainer.run_fn(args)
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    start, end = load_encoder(args.base_model), load_encoder(args.serving_model_dir)
    for before, after in zip(
        start.catalogue.get_weights(), end.catalogue.get_weights(), strict=True
    ):
        np.testing.assert_array_equal(before, after)
    changed = any(
        not np.array_equal(before, after)
        for before, after in zip(start.tower.get_weights(), end.tower.get_weights(), strict=True)
    )
    assert changed == (figures["status"] == "trained")


def test_small_cluster_keeps_the_global_encoder(trained, tiny_shop, tmp_path):
    args = fn_args(tmp_path, tiny_shop, {"specialists": {"min_samples": 100_000}}, name="cluster_1")
    args.base_model = str(trained / "model")
    specialist_trainer.run_fn(args)
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    assert figures["status"] == "unchanged"
    assert "min_samples" in figures["reason"]
    start, end = load_encoder(args.base_model), load_encoder(args.serving_model_dir)
    for before, after in zip(start.get_weights(), end.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)


def test_of_a_cluster_without_users_nothing_is_read(trained, tiny_shop, tmp_path):
    """A pipeline has a Trainer for every cluster that there could be."""
    args = fn_args(tmp_path, tiny_shop, {}, name="cluster_1")
    args.train_files = [write_records(tmp_path / "nobody.gz", [])]
    args.eval_files, args.transform_output = [str(tmp_path / "none")], str(tmp_path / "none")
    args.base_model = str(trained / "model")
    specialist_trainer.run_fn(args)
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    assert figures["reason"] == "the cluster has no training samples"
    assert (figures["status"], figures["samples"]) == ("unchanged", 0)
    kept, copied = (Path(at) / KERAS_FILE for at in (args.base_model, args.serving_model_dir))
    assert kept.read_bytes() == copied.read_bytes()


def test_trained_on_has_the_samples_of_all_specialists(trained, tiny_shop, tmp_path, monkeypatch):
    """The control gets every split, and as many samples an epoch as one specialist of each."""

    dataset = tf.data.TFRecordDataset(tiny_shop.train, "GZIP")
    records = [record.numpy() for record in dataset]
    write_records(tmp_path / "large.gz", records[:50])
    write_records(tmp_path / "small.gz", records[50:52])
    small = len(training_samples(read_histories([str(tmp_path / "small.gz")], tiny_shop.graph)))
    cap = small + 20
    settings = {"specialists": {"samples_per_epoch": cap, "min_samples": 1}}
    args = fn_args(tmp_path, tiny_shop, settings, name="continued")
    args.base_model = str(trained / "model")
    args.train_files = [str(tmp_path / "large.gz"), str(tmp_path / "small.gz")]
    given = {}

    def fit(model, train, validation, config, **_):
        given.update(users=len(train), limit=config.samples_per_epoch)
        return specialist_trainer.FitResult([], 0, 0.0, 0)

    monkeypatch.setattr(specialist_trainer, "fit", fit)
    specialist_trainer.run_fn(args)
    assert given == {"users": 52, "limit": cap + small}


@pytest.mark.parametrize(
    "setting",
    [
        {"strategy": "mirrored"},
        {"mixed_precision": True},
        {"full_softmax_items": 5, "sampled_items": 10},
    ],
    ids=["mirrored", "mixed_precision", "sampled_softmax"],
)
def test_other_ways_to_train_learn_too(tiny_shop, tmp_path, setting, request):
    if "mixed_precision" not in setting:  # what was trained in float16 is exported all the same
        request.getfixturevalue("without_export")
    config = {**ONE_MEMBER, "training": {**TINY["training"], "epochs": 3, **setting}}
    encoder_trainer.run_fn(fn_args(tmp_path, tiny_shop, config))
    figures = json.loads((tmp_path / "run" / "training.json").read_text())
    losses = [epoch["loss"] for epoch in figures["epochs"]]
    assert losses[-1] < 0.8 * losses[0]
    precision = "mixed_float16" if "mixed_precision" in setting else "float32"
    assert figures["derived"]["precision"]["value"] == precision
    softmax = "sampled" if "sampled_items" in setting else "full"
    assert figures["derived"]["softmax"]["value"] == softmax


def test_single_events_cannot_be_trained_on(tiny_shop, tmp_path):
    single = [
        raw_history(item_ids=["item,001"], actions=["buy"], timestamps=[7], first_target=[0])
    ] * 3
    args = fn_args(tmp_path, tiny_shop, TINY)
    args.train_files = [write_records(tmp_path / "single.gz", single)]
    with pytest.raises(TrainingDataError, match="nothing to predict.*data.validation_quantile"):
        encoder_trainer.run_fn(args)
