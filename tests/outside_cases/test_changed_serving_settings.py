"""A changed `serving.top_k` or a corrected title was never deployed: the new model counted as
"already served". A model's identity covers all that is served, and nothing else.
"""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from components.cluster_combiner.index import index_cells
from tests.helpers.pushed_versions import write_model
from tests.helpers.some_signatures import with_signatures
from tests.helpers.tiny_served_model import tiny_encoder, tiny_mixture
from tfx_pipeline.deployment.rollout import find_candidate
from tfx_pipeline.deployment.version_folder import VersionFolder
from tfx_pipeline.serving.served import model_id
from trainer.config import ServingConfig
from trainer.serving import cell_index
from trainer.serving.export import save_recommender
from trainer.serving.model_identity import CATALOGUE_FILE, model_identity
from trainer.serving.recommender import Recommender

pytestmark = pytest.mark.slow

APPROXIMATE = {"index": "approximate"}
SETTINGS = {
    "top_k": ({}, {"top_k": 6}),
    "exclude_seen": ({"exclude_seen": False}, {"exclude_seen": True}),
    "index": ({}, APPROXIMATE),
    "exact_items": ({}, {"exact_items": 0}),
    "index_recall": (APPROXIMATE, {**APPROXIMATE, "index_recall": 0.1}),
}
"""Of the section `serving`: settings before and after one of them was changed."""

TITLES = pl.DataFrame(
    {"item_id": ["item,000", "item,001"], "title": ["Tea", "Cofee"], "price": [1.5, None]}
)


@pytest.fixture(scope="module")
def identity(tiny_shop):
    """Identity of a model as ClusterCombiner makes it; the same question is answered once.

    One signature stands for all: they are traced from one graph.
    """
    done = {}

    def of(serving=None, specialists_per_user=None, changed_weight=False, again=0, strength=0.5):
        config = ServingConfig(**{"top_k": 5, "exclude_seen": False, **(serving or {})})
        question = (config.to_json(), specialists_per_user, changed_weight, again, strength)
        if question in done:
            return done[question]
        encoder = tiny_encoder(tiny_shop, config)
        if changed_weight:
            weight = encoder.catalogue.trainable_weights[0]
            weight.assign(np.asarray(weight) * 1.0001)
        queries = np.random.default_rng(2).normal(size=(20, encoder.tower.width))
        cells = index_cells(encoder, queries.astype(np.float32), config, 1)
        combined = ()
        if specialists_per_user is not None:
            mixture = tiny_mixture(per_user=specialists_per_user, strength=strength)
            combined = ([encoder.tower] * 2, mixture)
        served = Recommender(tiny_shop.graph, encoder, *combined, top_k=config.top_k, cells=cells)
        function = served.signatures()["recommend"].get_concrete_function()
        done[question] = model_identity({"recommend": function}, "nowhere")
        return done[question]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cell_index, "ITEMS_PER_CELL", (4,))
        yield of


def deploys(place, served, candidate):
    """Whether a candidate would be pushed to where another model is served."""
    folder = VersionFolder(place)
    write_model(place / "1", served)
    return find_candidate(folder, folder.state(), candidate) is None


def test_every_setting_is_tried():
    assert set(SETTINGS) == set(ServingConfig.model_fields)


@pytest.mark.parametrize(("before", "after"), SETTINGS.values(), ids=SETTINGS)
def test_a_changed_setting_is_deployed(identity, tmp_path, before, after):
    assert deploys(tmp_path, identity(before), identity(after))


def test_what_else_is_served(identity):
    assert identity() != identity(changed_weight=True)
    combined = identity(specialists_per_user=1)
    assert combined != identity()
    assert combined != identity(specialists_per_user=2)
    assert combined != identity(specialists_per_user=1, strength=0.25)


def test_the_same_is_served_already(identity, tmp_path):
    assert not deploys(tmp_path, identity(), identity(again=1))


def test_an_export_says_its_identity(tiny_shop, tmp_path):
    """With its titles; and the model that an earlier release pushed is read and replaced once."""
    encoder = tiny_encoder(tiny_shop, ServingConfig(exclude_seen=False))
    served = with_signatures(Recommender(tiny_shop.graph, encoder, top_k=5), "recommend")
    found = []
    for number, titles in enumerate([TITLES, TITLES.head(1)]):
        items = str(tmp_path / "items.parquet")
        titles.write_parquet(items)
        folder = tmp_path / f"model-{number}"
        found.append(save_recommender(served, str(folder), {}, items))
        assert model_id(folder) == found[-1]
        assert pl.read_parquet(folder / CATALOGUE_FILE).equals(titles)
    assert found[0] != found[1]
    assert deploys(tmp_path / "earlier", "1c8cd1ba", found[0])
    assert not deploys(tmp_path / "now", found[0], found[0])


def test_titles_are_served(tmp_path):
    """Rows count, and not how they are written."""

    def of(titles, **written):
        (tmp_path / "assets.extra").mkdir(exist_ok=True)
        titles.write_parquet(tmp_path / CATALOGUE_FILE, **written)
        return model_identity({}, str(tmp_path))

    served = of(TITLES)
    assert of(TITLES.reverse().select("price", "title", "item_id")) == served
    assert of(TITLES, compression="lz4") == served
    assert of(TITLES.with_columns(pl.col("title").str.replace("Cofee", "Coffee"))) != served
    assert of(TITLES.with_columns(pl.lit("hot").alias("category"))) != served
    assert of(TITLES.head(1)) != served
    assert model_identity({}, str(tmp_path / "without")) != served
