"""The Keras side of cohortrec, in layers; each imports only those above it in this list.

    settings, config, errors ...  what all packages share: settings, a raw history's columns
    data/                         histories as columns, facts about the log, windows
    encoder/                      item table, event towers, the bonus for own items
    clusters/                     what represents a user, and the rule that assigns a cluster
    inference/                    the encoder laid out for answering requests
    evaluation/                   ranks over the catalogue, metrics, free baselines, baskets
    training/ | serving/          losses, batches, fit | the recommender, its index, its export
    encoder_trainer, specialist_trainer, tuner, preprocessing   what TFX calls

Importing this package makes sure that TensorFlow's Keras (used inside TFRS, TFT and TFMA) is the
legacy `tf_keras`, while our models are Keras 3 (`import keras`). The switch has to be thrown
before TensorFlow is imported for the first time.
"""

import os

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
