"""A straight PyTorch implementation of the encoder's training, for `throughput.py` to compare with.

The next-item encoder as it is commonly written (SASRec's set-up, Kang & McAuley 2018, with BERT's
bidirectional post-LayerNorm blocks): one sample a prefix, padded to 50 in front, the state of the
last event scored against the whole item table, cross-entropy, AdamW. PyTorch's own transformer
layers and its defaults; the padded samples lie in memory as one tensor before the clock starts.

Usage: python benchmarks/torch_reference.py --sequences FILE [--samples N]

Prints one line of JSON: samples, seconds, mean loss, catalogue size and PyTorch's version.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from corpus import Corpus, read_corpus
from stopwatch import Stopwatch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (what everybody calls it)

MAX_EVENTS = 50
WIDTH, LAYERS, HEADS, FEEDFORWARD, DROPOUT = 64, 2, 2, 256, 0.2
LEARNING_RATE, WEIGHT_DECAY = 1e-3, 0.01
INIT_STDDEV = 0.02


class NextItemEncoder(nn.Module):
    """Scores every item of the catalogue as the next one of a padded prefix."""

    def __init__(self, items: int) -> None:
        super().__init__()
        self.item = nn.Embedding(items + 1, WIDTH, padding_idx=0)
        self.position = nn.Embedding(MAX_EVENTS, WIDTH)
        for table in (self.item, self.position):
            nn.init.normal_(table.weight, std=INIT_STDDEV)
        self.norm = nn.LayerNorm(WIDTH)
        self.dropout = nn.Dropout(DROPOUT)
        block = nn.TransformerEncoderLayer(
            WIDTH, HEADS, FEEDFORWARD, DROPOUT, activation="gelu", batch_first=True
        )
        self.blocks = nn.TransformerEncoder(block, LAYERS, enable_nested_tensor=False)

    def forward(self, events: Tensor) -> Tensor:
        """Scores float32 [batch, items + 1] of prefixes int64 [batch, MAX_EVENTS], 0 = padding."""
        x = self.item(events) + self.position.weight
        x = self.blocks(self.dropout(self.norm(x)), src_key_padding_mask=events == 0)
        return x[:, -1] @ self.item.weight.T


def padded_samples(corpus: Corpus) -> tuple[Tensor, Tensor]:
    """Prefixes int64 [samples, MAX_EVENTS], padded in front, and their next items [samples]."""
    prefixes, targets = zip(*corpus.samples(MAX_EVENTS), strict=True)
    events = torch.zeros(len(targets), MAX_EVENTS, dtype=torch.int64)
    for row, prefix in zip(events, prefixes, strict=True):
        row[-len(prefix) :] = torch.tensor(prefix)
    return events, torch.tensor(targets)


def train_epoch(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    events: Tensor,
    targets: Tensor,
    batch_size: int,
) -> float:
    """One pass over the samples in random order; returns their mean loss."""
    model.train()
    total = 0.0
    for rows in torch.randperm(len(targets)).split(batch_size):
        loss = F.cross_entropy(model(events[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(rows)
    return total / len(targets)


def main() -> None:
    """Warms up, then times one pass over the samples."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sequences", type=Path, required=True)
    parser.add_argument("--samples", type=int, help="a random part this large (default: all)")
    parser.add_argument("--warmup", type=int, default=8192, help="samples trained on beforehand")
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(arguments.seed)

    corpus = read_corpus(arguments.sequences)
    events, targets = padded_samples(corpus)
    order = torch.randperm(len(targets))
    warmup, chosen = order[: arguments.warmup], order[: arguments.samples]
    model = NextItemEncoder(corpus.items)
    optimizer = torch.optim.AdamW(model.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    train_epoch(model, optimizer, events[warmup], targets[warmup], arguments.batch_size)
    events, targets = events[chosen], targets[chosen]
    watch = Stopwatch()
    watch.start()
    loss = train_epoch(model, optimizer, events, targets, arguments.batch_size)
    watch.stop()
    print(
        json.dumps(
            {
                "samples": len(targets),
                **watch.figures(),
                "loss": loss,
                "items": corpus.items,
                "version": torch.__version__,
            }
        )
    )


if __name__ == "__main__":
    main()
