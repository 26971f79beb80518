"""A stand-in for TensorFlow Serving with REST: a test double, to try a pushed model on one machine.

To the gRPC half, with which InfraValidator tries candidates (in its folder `stand_in/`), it adds
REST, several models, versions that come and go, and labels. It takes no load: there is no batching,
no metrics, no reload of its config.
"""
