"""A stand-in for TensorFlow Serving: a test double, for machines without `tensorflow_model_server`.

It loads a SavedModel through TensorFlow's C API, without TensorFlow's Python, and answers the same
gRPC requests: what TFX's InfraValidator asks. `tools/stand_in_server` adds REST, labels and
versions that come and go, to try a pushed model by hand.
"""
