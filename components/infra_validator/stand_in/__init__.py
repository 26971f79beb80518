"""A stand-in for TensorFlow Serving: a test double, for machines without `tensorflow_model_server`.

It loads a SavedModel through TensorFlow's C API, without TensorFlow's Python, and answers the same
gRPC and REST requests. It takes no load: there is no batching, no metrics, no reload of its config.
"""
