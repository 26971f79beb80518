"""An application that imports the client does not get TensorFlow with it."""

import subprocess
import sys

LIGHT = """
import sys
from cohortrec_client import connect
connect("http://localhost:1", "m")
connect("grpc://localhost:1", "m")
heavy = {"tensorflow", "keras", "tf_keras", "tfx", "trainer", "numpy"}
print(sorted(heavy & {name.split(".")[0] for name in sys.modules}))
"""
AFTERWARDS = """
from cohortrec_client import connect
connect("grpc://localhost:1", "m")
import tensorflow as tf
from cohortrec_client.serving_messages import predict_pb2
request = predict_pb2.PredictRequest()
request.inputs["a"].CopyFrom(tf.make_tensor_proto([b"x"]))
print(tf.constant(1).numpy(), tf.make_ndarray(request.inputs["a"]))
"""


def _run(code):
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=True
    )
    return done.stdout.strip()


def test_neither_transport_loads_tensorflow():
    assert _run(LIGHT) == "[]"


def test_tensorflow_can_still_be_imported():
    assert _run(AFTERWARDS) == "1 [b'x']"
