from types import SimpleNamespace

import keras
import pytest

from trainer.evaluation.peers.network_training import train_network


@pytest.mark.parametrize(
    ("values", "most", "epochs", "kept"),
    [
        ([0.1, 0.3, 0.2, 0.25, 0.9], 5, 4, 2),  # two epochs without a gain end it
        ([0.1, 0.3, 0.2, 0.4], 4, 4, 4),
        ([0.3, 0.2, 0.1], 2, 2, 1),
        ([float("nan"), float("nan"), float("nan")], 3, 3, 1),  # nobody to ask
    ],
)
def test_training_ends_with_the_best_weights(values, most, epochs, kept):
    # Every step adds 1.
    weight = keras.Variable(0.0, name="steps")
    network = SimpleNamespace(weights=[weight], loss=lambda _: -weight.value, scores=None)
    ran = []

    def batches():
        ran.append(1)
        return [()]

    def judge(model):
        return values[len(ran) - 1]

    train_network(network, keras.optimizers.SGD(1.0), batches, judge, most, patience=2)
    assert len(ran) == epochs
    assert weight.numpy() == kept
