import keras
import pytest

from trainer.evaluation.peers.early_stopping import fit_epochs


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
    weight = keras.Variable(0.0, name="epochs")
    ran = []

    def epoch():
        ran.append(1)
        weight.assign_add(1.0)

    fit_epochs(epoch, lambda: values[len(ran) - 1], [weight], most, patience=2)
    assert len(ran) == epochs
    assert weight.numpy() == kept
