"""The DAG, its configuration and how to run it."""

import trainer  # noqa: F401  (sets the Keras switches before TensorFlow is imported)
