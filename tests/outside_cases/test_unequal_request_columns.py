"""A request whose inputs have different shapes was answered with somebody else's padding, status
200; it is refused as INVALID_ARGUMENT, with the input's name, by gRPC, by REST and in this process.
"""

from __future__ import annotations

import re

import httpx
import numpy as np
import pytest

from cohortrec_client import InvalidRequest
from cohortrec_client.grpc_transport import GrpcTransport
from cohortrec_client.tensor import Tensor
from components.infra_validator.stand_in import saved_model
from components.infra_validator.stand_in.refusal import Refusal
from tests.helpers.raw_histories import raw_history
from tests.helpers.rest_servers import serving
from tests.helpers.some_signatures import with_signatures
from tests.helpers.tiny_served_model import tiny_encoder
from tfx_pipeline.serving.local_model import LocalModel
from tfx_pipeline.serving.served import model_id
from trainer.config import ServingConfig
from trainer.serving.baseline_recommender import BaselineRecommender, export_baseline
from trainer.serving.export import save_recommender
from trainer.serving.recommender import Recommender

pytestmark = pytest.mark.slow

THREE = ["item,001", "item,002", "item,003"]
COMPLETE = {"item_ids": THREE, "actions": ["buy"] * 3, "timestamps": [1, 2, 3]}
SHAPES = {
    "actions are wider": ("actions", {"actions": (2, 4)}),
    "actions are narrower": ("actions", {"actions": (2, 2)}),
    "one action is not broadcast": ("actions", {"actions": (2, 1)}),
    "times are wider": ("timestamps", {"timestamps": (2, 4)}),
    "the same number of values": ("timestamps", {"timestamps": (3, 2)}),
    "one row of actions": ("actions", {"actions": (1, 3)}),
    "more rows of times": ("timestamps", {"timestamps": (4, 3)}),
    "no times": ("timestamps", {"timestamps": (2, 0)}),
    "items are wider": ("actions|timestamps", {"item_ids": (2, 4)}),
}
ANY = "item_ids|actions|timestamps"
"""Where several inputs are wrong, whichever is looked at first is named."""
RANKS = {
    "one history without a batch": (ANY, dict.fromkeys(COMPLETE, (3,))),
    "a level too much": (ANY, dict.fromkeys(COMPLETE, (1, 2, 3))),
    "times without a batch": ("timestamps", {"timestamps": (6,)}),
    "scalars": (ANY, dict.fromkeys(COMPLETE, ())),
}
EXAMPLES = {
    "fewer times": ("timestamps", {"timestamps": [1]}),
    "more actions": ("actions", {"actions": ["buy"] * 4}),
    "fewer prices": ("prices", {"prices": [1.0, 2.0]}),
    "more quantities": ("quantities", {"quantities": [1.0] * 5}),
    "one category for all": ("categories", {"categories": ["c0"]}),
    "events without items": ("actions", {"item_ids": []}),
}


@pytest.fixture(scope="module", params=["encoder", "free baseline"])
def model(request, tiny_shop, tmp_path_factory):
    """A SavedModel of each kind that may be pushed, below a folder of versions."""
    folder = tmp_path_factory.mktemp("served") / "shop" / "1"
    if request.param == "encoder":
        encoder = tiny_encoder(tiny_shop, ServingConfig(exclude_seen=False))
        recommender = Recommender(tiny_shop.graph, encoder, top_k=5)
        asked = with_signatures(recommender, "serving_default", "recommend", "embed", "evaluate")
        save_recommender(asked, str(folder), {})
    else:
        counts = np.arange(20, 0, -1)
        ids = [f"item,{i:03d}".encode() for i in range(20)]
        baseline = BaselineRecommender(ids, counts, own_first=True, exclude_seen=False, top_k=5)
        export_baseline(baseline, str(folder), "own_items")
    return folder


@pytest.fixture(scope="module")
def loaded(model):
    """The model as TensorFlow Serving's C++ loads it, without the stand-in's own checks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved_model, "_check", lambda expected, inputs: None)
        yield saved_model.SavedModel(model)


@pytest.fixture(scope="module")
def server(model):
    with serving(model) as runner:
        yield runner


def columns(changed):
    """A request of two histories of three events, with other shapes for some inputs."""
    shapes = {**dict.fromkeys(COMPLETE, (2, 3)), **changed}
    values = {"item_ids": b"item,001", "actions": b"buy", "timestamps": 7}
    return {
        name: np.full(shape, values[name], np.int64 if name == "timestamps" else object)
        for name, shape in shapes.items()
    }


def tensors(changed):
    return {
        name: Tensor("int64" if name == "timestamps" else "string", a.shape, a.ravel().tolist())
        for name, a in columns(changed).items()
    }


@pytest.mark.parametrize(("named", "changed"), [*SHAPES.values(), *RANKS.values()])
def test_the_graph_itself_refuses(loaded, named, changed):
    with pytest.raises(Refusal, match=named) as refused:
        loaded.run("recommend", columns(changed), 60.0)
    assert refused.value.code.name == "INVALID_ARGUMENT"
    shape = next(iter(changed.values()))
    assert " ".join(map(str, shape)) in refused.value.message.replace(",", " ")


def test_columns_of_one_shape_are_answered(loaded):
    for shape in ((2, 3), (1, 1), (3, 0), (0, 0)):
        out = loaded.run("recommend", columns(dict.fromkeys(COMPLETE, shape)), 60.0)
        assert out["item_ids"].shape == (shape[0], 5)


@pytest.mark.parametrize(("named", "changed"), SHAPES.values(), ids=SHAPES)
def test_a_server_refuses_by_grpc_and_by_rest(server, named, changed):
    transport = GrpcTransport(f"grpc://{server.GetEndpoint()}", "shop")
    with pytest.raises(InvalidRequest, match=named):
        transport.predict("recommend", tensors(changed), 20.0)
    transport.close()
    inputs = {
        name: [[v.decode() if isinstance(v, bytes) else v for v in row] for row in a.tolist()]
        for name, a in columns(changed).items()
    }
    answer = httpx.post(
        f"http://127.0.0.1:{server.rest_port}/v1/models/shop:predict",
        json={"signature_name": "recommend", "inputs": inputs},
        timeout=20.0,
    )
    assert answer.status_code == 400
    assert re.search(named, answer.text)


def test_a_model_in_this_process_refuses(model):
    with pytest.raises(InvalidRequest, match="actions must have the shape of item_ids"):
        LocalModel(model).predict("recommend", tensors({"actions": (2, 4)}), 20.0)


@pytest.mark.parametrize(("named", "changed"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_has_one_value_for_each_item(loaded, model, named, changed):
    if str(model_id(model)).startswith("own_items"):
        pytest.skip("the free baselines read the items alone")
    good = raw_history(**COMPLETE)
    bad = raw_history(**{**COMPLETE, **changed})
    for signature in ("serving_default", "embed", "evaluate"):
        with pytest.raises(Refusal, match=named) as refused:
            loaded.run(signature, {"examples": np.array([good, bad], object)}, 60.0)
        assert refused.value.code.name == "INVALID_ARGUMENT"
        assert "[1]" in refused.value.message  # the second example


def test_what_an_example_lacks_is_unknown(loaded):
    bare = [raw_history(item_ids=THREE), raw_history(**COMPLETE, prices=[1.0, -1.0, 2.0]), b""]
    out = loaded.run("serving_default", {"examples": np.array(bare, object)}, 60.0)
    assert np.isfinite(out["scores"]).all()
