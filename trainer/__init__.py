"""The Keras side of cohortrec: features, input, encoder, training, export.

Importing this package makes sure that TensorFlow's Keras (used inside TFRS, TFT and TFMA) is the
legacy `tf_keras`, while our models are Keras 3 (`import keras`). The switch has to be thrown
before TensorFlow is imported for the first time.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
