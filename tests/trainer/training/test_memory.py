"""Memory of models that nobody holds is given back; the others stay usable."""

from __future__ import annotations

import gc
import weakref

import keras
import numpy as np

from trainer.training.memory import release_memory


def test_a_model_that_is_held_survives_and_a_lost_one_does_not():
    held = keras.Sequential([keras.layers.Dense(3)])
    before = held.predict(np.ones((2, 4), np.float32), verbose=0)
    gc.disable()
    try:
        lost = keras.Sequential([keras.layers.Dense(3)])
        lost.predict(np.ones((2, 4), np.float32), verbose=0)
        # The graphs of a model refer back to it, so that counting references does not free it.
        lost, model = None, weakref.ref(lost)
        assert model() is not None
        release_memory()
        assert model() is None
    finally:
        gc.enable()
    np.testing.assert_array_equal(held.predict(np.ones((2, 4), np.float32), verbose=0), before)
