"""The TFX components that cohortrec adds, a folder each: spec, component, executor, README."""

import trainer  # noqa: F401  (sets the Keras switches before TensorFlow is imported)
