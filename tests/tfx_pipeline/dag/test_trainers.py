"""What the Trainers are given: nothing that they do not learn by."""

import pytest
from tfx.types import standard_artifacts
from tfx.types.channel_utils import as_channel

from tfx_pipeline.dag.trainers import encoder_trainer, fine_tuning_trainer
from tfx_pipeline.paths.locations import Locations
from tfx_pipeline.settings.run_config import RunConfig


def given(**serving):
    """`custom_config` of the encoder's Trainer and of a specialist's."""
    config = RunConfig.from_dict({"serving": serving})
    locations = Locations.below("/shop")
    examples = as_channel([standard_artifacts.Examples()])
    graph = as_channel([standard_artifacts.TransformGraph()])
    model = as_channel([standard_artifacts.Model()])
    trainers = (
        encoder_trainer(config, locations, examples, graph, model, None),
        fine_tuning_trainer(
            config, locations, "cluster_0", ["cluster_0"], examples, graph, model, None
        ),
    )
    return [trainer.exec_properties["custom_config"] for trainer in trainers]


@pytest.mark.parametrize(
    "serving", [{"top_k": 7}, {"index": "approximate"}, {"exact_items": 5}, {"index_recall": 0.9}]
)
def test_what_only_the_served_model_needs_trains_nothing_again(serving):
    assert given(**serving) == given()


def test_seen_items_that_are_left_out_train_the_encoder_again():
    assert given(exclude_seen=True)[0] != given()[0]
