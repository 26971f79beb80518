"""The fused optimizer steps as Keras' AdamW does; averages are judged and taken back."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from trainer.config import TrainingConfig
from trainer.training.optimizer import FusedAdamW
from trainer.training.schedule import FEWEST, MOST, STEPS, planned_epochs
from trainer.training.weight_average import AverageWeights, momentum


def test_steps_are_those_of_adamw():
    rng = np.random.default_rng(0)
    start = rng.normal(0, 1, (6, 3)).astype(np.float32)
    settings = {"learning_rate": 0.1, "weight_decay": 0.05, "global_clipnorm": 1.0}
    fused, plain = (keras.Variable(start) for _ in range(2))
    optimizers = FusedAdamW(**settings), keras.optimizers.AdamW(**settings)
    for step in range(5):
        gradient = rng.normal(0, 1 + step, (6, 3)).astype(np.float32)
        for optimizer, variable in zip(optimizers, (fused, plain), strict=True):
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [variable])
    np.testing.assert_allclose(fused.numpy(), plain.numpy(), rtol=1e-4, atol=1e-5)
    assert np.abs(fused.numpy() - start).max() > 0.1


def test_the_average_is_in_the_model_between_the_two_callbacks():
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.compile(FusedAdamW(0.1, use_ema=True, ema_momentum=0.5), "mse")
    average = AverageWeights()
    seen = {}

    def look(name):
        def note(epoch, logs):
            seen[name, epoch] = float(model.get_weights()[0][0, 0])

        return keras.callbacks.LambdaCallback(on_epoch_end=note)

    x = np.ones((1, 1), np.float32)
    callbacks = [look("before"), average, look("between"), average.undo, look("after")]
    model.fit(x, 5 * x, epochs=3, verbose=0, callbacks=callbacks)
    expected = seen["before", 0]
    for epoch in range(3):
        if epoch:
            expected = 0.5 * expected + 0.5 * seen["before", epoch]
        assert seen["between", epoch] == pytest.approx(expected, rel=1e-5)
        assert seen["after", epoch] == seen["before", epoch]
    assert seen["between", 2] != pytest.approx(seen["before", 2], rel=1e-3)


def test_momentum_looks_back_over_a_share_of_the_epoch():
    assert momentum(0.75, 400) == pytest.approx(1 - 1 / 300)
    assert momentum(0.0, 400) == 0.0
    assert momentum(0.75, 1) == 0.0


def test_epochs_make_enough_steps_within_bounds():
    auto = TrainingConfig()
    assert planned_epochs(auto, 201) == -(-STEPS // 201)
    assert planned_epochs(auto, 10 * STEPS) == FEWEST
    assert planned_epochs(auto, 1) == MOST
    assert planned_epochs(TrainingConfig(epochs=3), 201) == 3
