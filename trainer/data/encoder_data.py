"""What the global encoder is trained on: the histories, what they say, what is known of the items.

Read once, however many encoders are trained on it (`Trainer.encoder` one, `Tuner.encoder` many).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow_transform as tft

from trainer.config import EncoderConfig
from trainer.data import features
from trainer.data.data_facts import DataFacts
from trainer.data.histories import Histories, read_histories
from trainer.data.item_content import ItemContent
from trainer.data.item_features import ItemFeatures, cooccurrence_features, text_features
from trainer.data.sampling import training_samples
from trainer.errors import UserError


class TrainingDataError(UserError):
    """The splits cannot be trained on; the message says why and what to change."""


@dataclass(frozen=True)
class EncoderData:
    """Both splits, the facts about the training split, and the features of the items."""

    train: Histories
    validation: Histories
    facts: DataFacts
    item_features: ItemFeatures

    @classmethod
    def read(
        cls,
        graph: tft.TFTransformOutput,
        train_files: Sequence[str],
        validation_files: Sequence[str],
        item_content: str | None,
        config: EncoderConfig,
        seed: int,
        target_actions: Sequence[str] = (),
    ) -> EncoderData:
        """Reads the files and looks at what they hold.

        Args:
            graph: what Transform made.
            train_files: patterns of the files to train on.
            validation_files: patterns of the files with held-out items.
            item_content: a folder of `trainer.data.item_content`, None if there is none.
            config: decides whether item features may come from the log.
            seed: of the features that come from the log.
            target_actions: what models are asked for; none: every action.

        Raises:
            TrainingDataError: nothing to train on, no validation targets, fewer than two items, or
                a target action that no training history has.
        """
        actions = _action_indices(target_actions, graph)
        train = read_histories(train_files, graph).asking(actions)
        validation = read_histories(validation_files, graph)
        if not (validation.next_item > 0).any():
            raise TrainingDataError(
                "no history of the validation split has a next item; give the split more events "
                "(data.validation_quantile, data.test_quantile) or use data.split=leave_one_out"
            )
        samples = training_samples(train)
        if not (samples.ends > samples.starts).any():
            raise TrainingDataError(
                "no history of the training split goes on after its first instant, so there is "
                "nothing to predict; bring a longer log or more events before the validation cut "
                "(data.validation_quantile)"
            )
        facts = DataFacts.of(train, graph, actions)
        if facts.items < 2:
            raise TrainingDataError(
                f"the training split has {facts.items} item(s), a recommender needs at least two; "
                "lower data.min_item_events or features.min_item_count, or bring more events"
            )
        return cls(
            train,
            validation,
            facts,
            _item_features(
                item_content,
                graph,
                train,
                # A lone member would overfit features that come from the log itself.
                from_log=config.cooccurrence and facts.members(config) > 1,
                seed=seed,
            ),
        )


def _action_indices(names: Sequence[str], graph: tft.TFTransformOutput) -> list[int]:
    known = [name.decode() for name in graph.vocabulary_by_name(features.ACTION_VOCABULARY)]
    for name in names:
        if name not in known:
            raise TrainingDataError(
                f"no training history has an event with the action {name!r} of data.target_actions;"
                f" the training split has {', '.join(known)}. Ask for one of these, bring a longer "
                "log, or raise features.max_actions"
            )
    return [1 + known.index(name) for name in names]


def _item_features(
    item_content: str | None,
    graph: tft.TFTransformOutput,
    train: Histories,
    *,
    from_log: bool,
    seed: int,
) -> ItemFeatures:
    """Features of the items: from their texts; without texts, if `from_log`, from co-occurrence."""
    vocabulary = graph.vocabulary_by_name(features.ITEM_VOCABULARY)
    content = ItemContent.empty([], "the pipeline has no item content")
    found = text_features(ItemContent.load(item_content) if item_content else content, vocabulary)
    if found.dim or not from_log:
        return found
    return cooccurrence_features(train, len(vocabulary), found.why, seed)
