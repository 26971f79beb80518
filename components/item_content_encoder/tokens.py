"""Texts as the word pieces that BERT was trained on."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path

import keras_hub
import numpy as np

from components.item_content_encoder.weights import TOKENIZER_CONFIG
from trainer.settings import ConfigError

_AT_ONCE = 4096
# A description may be a whole page, of which `max_tokens` are used; so much of it is looked at.
_CHARACTERS_A_TOKEN = 100


class Tokenizer:
    """`keras_hub.tokenizers.BertTokenizer` behind BERT's own text normalisation.

    keras-hub lower-cases by Unicode case folding (NFKC), which turns "ß" into "ss", joins the parts
    of Hangul and splits "½"; the vocabulary was made without it. So the text is normalised here, as
    in the `BasicTokenizer` of the BERT authors (Devlin et al. 2019): control characters out,
    accents off, lower case.

    Args:
        folder: holds `vocab.txt`, and perhaps `tokenizer_config.json` with `do_lower_case: false`
            for a vocabulary with capitals.
        max_tokens: the most ids of a text, [CLS] and [SEP] included.

    Raises:
        ConfigError: the vocabulary lacks one of BERT's special tokens.
    """

    def __init__(self, folder: Path, max_tokens: int) -> None:
        self._lower_case = _lower_case(folder)
        self._max_tokens = max_tokens
        path = folder / "vocab.txt"
        try:
            self._word_pieces = keras_hub.tokenizers.BertTokenizer(
                str(path), lowercase=False, strip_accents=False
            )
        except ValueError as error:
            raise ConfigError(
                f"setting 'content.weights': {str(path)!r} is not a BERT vocabulary: {error}"
            ) from None
        self.size = self._word_pieces.vocabulary_size()
        self.pad = self._word_pieces.pad_token_id
        self._first = self._word_pieces.cls_token_id
        self._last = self._word_pieces.sep_token_id

    def __call__(self, texts: Sequence[str]) -> list[np.ndarray]:
        """int32 [length] for each text: [CLS], at most `max_tokens` - 2 word pieces, [SEP]."""
        longest = self._max_tokens - 2
        found = []
        for start in range(0, len(texts), _AT_ONCE):
            batch = [
                normalise(text[: longest * _CHARACTERS_A_TOKEN], self._lower_case)
                for text in texts[start : start + _AT_ONCE]
            ]
            found += [
                np.array([self._first, *ids[:longest], self._last], dtype=np.int32)
                for ids in self._word_pieces(batch)
            ]
        return found


def normalise(text: str, lower_case: bool = True) -> str:
    """Without control characters; for a lower-case vocabulary also without accents and capitals."""
    kept = "".join(
        " " if character in "\t\n\r" else character
        for character in text
        if character in "\t\n\r"
        or (character != "\ufffd" and not unicodedata.category(character).startswith("C"))
    )
    if not lower_case:
        return kept
    apart = unicodedata.normalize("NFD", kept)
    return "".join(c for c in apart if unicodedata.category(c) != "Mn").lower()


def _lower_case(folder: Path) -> bool:
    path = folder / TOKENIZER_CONFIG
    if not path.is_file():
        return True
    try:
        return bool(json.loads(path.read_text(encoding="utf-8")).get("do_lower_case", True))
    except (ValueError, AttributeError) as error:
        raise ConfigError(
            f"setting 'content.weights': {str(path)!r} is no JSON object: {error}"
        ) from None
