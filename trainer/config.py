"""Settings of the features, the encoder, its training, the specialists and serving."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from trainer.evaluation_config import EvaluationConfig
from trainer.settings import Settings

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Auto = Literal["auto"]


class FeaturesConfig(Settings):
    """What Transform does with a raw history."""

    min_item_count: Annotated[int, Field(ge=1)] = 1
    """Items with fewer training events are out of vocabulary."""
    min_category_count: Annotated[int, Field(ge=1)] = 5
    """Categories with fewer training events are out of vocabulary."""
    max_categories: Annotated[int, Field(ge=1)] = 5000
    """The most frequent categories that are kept."""
    max_actions: Annotated[int, Field(ge=1)] = 100
    """The most frequent actions that are kept."""


class EncoderConfig(Settings):
    """Shape of the BERT-style encoder over events."""

    width: Annotated[int, Field(ge=8)] = 64
    """Width of one member's states."""
    members: Annotated[int, Field(ge=1, le=16)] | Auto = "auto"
    """How many encoders are trained side by side, their scores averaged
    (`trainer/encoder/tower_ensemble.py`). Training and serving cost so many times as much. With
    `auto` the size of the catalogue decides (`DataFacts.members`)."""
    cooccurrence: bool = True
    """Where items have no texts, one of several members starts from which items occur together."""
    layers: Annotated[int, Field(ge=1)] = 2
    """Transformer blocks of a member."""
    heads: Annotated[int, Field(ge=1)] = 2
    """Attention heads of a block; `width` is a multiple of it."""
    feedforward: Annotated[int, Field(ge=8)] = 256
    """Width of a block's hidden dense layer."""
    dropout: Share = 0.2
    """Share of activations that training drops."""
    max_events: Annotated[int, Field(ge=2)] = 50
    """The latest events that the transformer reads."""
    trends: bool = True
    """Where the log has times, items that sold recently score higher. "Recently" means before each
    training sample, and before the end of the training log when served
    (`trainer/data/item_statistics.py`)."""
    own_items: bool = True
    """Score "buys this again" from the user's own items, where these may be recommended."""
    own_events: Annotated[int, Field(ge=1)] = 1024
    """How many of the latest events count as the user's own items in that score."""

    @model_validator(mode="after")
    def _heads_divide_width(self) -> EncoderConfig:
        if self.width % self.heads:
            raise ValueError(f"width {self.width} is not a multiple of heads {self.heads}")
        return self


class LabelConfig(Settings):
    """What a training sample's label is."""

    max_targets: Annotated[int, Field(ge=1)] = 8
    """At most how many of the items that come next (a basket, say) one sample is trained on."""
    first_weight: Annotated[float, Field(gt=0.0, le=1.0)] | Literal["even"] | Auto = "auto"
    """Weight of the next item, the first of its instant; the others share what remains. With
    "even" all have the same share: right where their order means nothing. `auto` is 1 with
    `evaluation.task=next_item`, and even with every other task."""
    basket_growth: Share = 0.0
    """How the label of a basket grows with it: all its items together weigh their number to this
    power. With 0 every basket has the same say, with 1 every item."""
    later_items: Annotated[int, Field(ge=0)] = 3
    """Every second member of the encoder also learns this many items after these."""
    later_weight: Share = 0.3
    """Share of the label that goes to these later items."""

    def weight_of_first(self, evaluation: EvaluationConfig) -> float | Literal["even"]:
        """The weight of the next item, as set or as the task has it."""
        if self.first_weight == "auto":
            return 1.0 if evaluation.task == "next_item" else "even"
        return self.first_weight


class OptimizerConfig(LabelConfig):
    """What encoder and specialist training have in common."""

    epochs: Annotated[int, Field(ge=1)] | Auto = "auto"
    """Upper bound of the epochs. With `auto`, as many as it takes for enough steps
    (`trainer/training/schedule.py`)."""
    batch_size: Annotated[int, Field(ge=1)] = 256
    """Samples of one step."""
    learning_rate: Annotated[float, Field(gt=0)] = 2e-3
    """The highest rate, which the schedule rises to and falls from."""
    warmup_share: Share = 0.05
    """Share of all steps in which the learning rate rises linearly; cosine decay follows."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    """Of AdamW."""
    clip_norm: Annotated[float, Field(gt=0)] = 5.0
    """Gradients are scaled down to this global norm."""
    average_epochs: Annotated[float, Field(ge=0)] = 0.75
    """How many epochs the moving average of the weights looks back over. The average is what is
    judged and kept. With 0 the weights themselves are."""
    patience: Annotated[int, Field(ge=1)] = 4
    """Epochs without a better validation NDCG@10 before training stops."""
    samples_per_epoch: Annotated[int, Field(ge=1)] = 200_000
    """Upper bound of the samples in an epoch; each epoch draws its own."""
    validation_users: Annotated[int, Field(ge=1)] = 10_000
    """Upper bound of validation histories scored after each epoch."""


class TrainingConfig(OptimizerConfig):
    """Training of the global encoder."""

    full_softmax_items: Annotated[int, Field(ge=1)] = 200_000
    """Above this catalogue size the softmax runs over sampled items, with correction."""
    sampled_items: Annotated[int, Field(ge=1)] = 8192
    """How many items a batch samples then."""
    mixed_precision: bool | Auto = "auto"
    """Compute in float16; `auto` does so only on GPUs with tensor cores."""
    pretraining_epochs: Annotated[int, Field(ge=0)] = 0
    """Passes over the training histories in which the encoder guesses hidden items, before it
    learns the next one (`trainer/training/masked_item_model.py`)."""
    masked_share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """Share of a window's items that are hidden in these passes."""
    strategy: Literal["default", "mirrored", "multi_worker_mirrored"] = "default"
    """Which `tf.distribute` strategy trains; `mirrored`: on all GPUs of one machine."""

    @field_validator("strategy")
    @classmethod
    def _strategy_works(cls, value: str) -> str:
        if value == "multi_worker_mirrored":
            # Its per-replica gradients are no tensors, and Keras 3's optimizers take only those.
            raise ValueError(
                "training on several machines does not work with Keras 3 yet; use 'mirrored' for "
                "all GPUs of one machine, or 'default'"
            )
        return value


class SpecialistConfig(OptimizerConfig):
    """Fine-tuning of one specialist per cluster."""

    method: Literal["lora", "full"] = "full"
    """Change all weights of its members, or low-rank additions to them (LoRA)."""
    lora_rank: Annotated[int, Field(ge=1)] = 8
    """Rank of these additions."""
    members: Annotated[int, Field(ge=1, le=16)] = 1
    """How many of the encoder's members a specialist fine-tunes. It shares the others with the
    global encoder, so they are not trained, stored or served a second time."""
    epochs: Annotated[int, Field(ge=1)] = 6
    learning_rate: Annotated[float, Field(gt=0)] = 2e-4
    warmup_share: Share = 0.1
    patience: Annotated[int, Field(ge=1)] = 1
    samples_per_epoch: Annotated[int, Field(ge=1)] = 20_000
    min_samples: Annotated[int, Field(ge=1)] = 200
    """A cluster with fewer training samples keeps the global encoder."""


class ServingConfig(Settings):
    """What a served model answers."""

    top_k: Annotated[int, Field(ge=1, le=1000)] = 20
    """Items in a list."""
    exclude_seen: bool | Auto = "auto"
    """Leave out items that the user already had. `auto` does so unless the repeat share of the data
    shows that customers buy again."""
    index: Literal["exact", "approximate"] | Auto = "auto"
    """`exact` scores every item for a list; `approximate` scores only the items in the best cells
    of an index (`trainer/serving/cell_index.py`). `auto` is approximate above `exact_items`
    items."""
    exact_items: Annotated[int, Field(ge=0)] = 200_000
    """The largest catalogue whose lists are exact with `index: auto`."""
    index_recall: Annotated[float, Field(gt=0, le=1)] = 0.97
    """Share of the ten best items that an approximate index must find."""

    def approximate(self, items: int) -> bool:
        """Whether a catalogue of this size gets an approximate index."""
        return self.index == "approximate" or (self.index == "auto" and items > self.exact_items)
