"""A small net from sequences to sequences, its training, and its search by beams."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

PAD, START, END, UNKNOWN = 0, 1, 2, 3  # the first numbers of each vocabulary
N_SPECIAL = 4

Tokens = Sequence[Sequence[int]]


class Seq2Seq(nn.Module):
    """An encoder in both directions, and a decoder that attends to it.

    Parameters
    ----------
    n_source, n_target : int
        Sizes of the vocabularies.
    n_dims : int
        Size of the embeddings and of the states; even.
    dropout : float
        Share of the units that are dropped in training.
    """

    def __init__(self, n_source: int, n_target: int, n_dims: int, dropout: float) -> None:
        super().__init__()
        self.source = nn.Embedding(n_source, n_dims, padding_idx=PAD)
        self.target = nn.Embedding(n_target, n_dims, padding_idx=PAD)
        self.encoder = nn.GRU(n_dims, n_dims // 2, batch_first=True, bidirectional=True)
        self.decoder = nn.GRU(n_dims, n_dims, batch_first=True)
        self.query = nn.Linear(n_dims, n_dims, bias=False)
        self.mix = nn.Linear(2 * n_dims, n_dims)
        self.output = nn.Linear(n_dims, n_target)
        self.output.weight = self.target.weight
        self.dropout = nn.Dropout(dropout)
        for embedding in (self.source, self.target):
            nn.init.normal_(embedding.weight, std=n_dims**-0.5)

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return states (n, n_words, n_dims), the decoder's first (1, n, n_dims), and padding."""
        padding = source == PAD
        packed = nn.utils.rnn.pack_padded_sequence(
            self.dropout(self.source(source)),
            (~padding).sum(dim=1),
            batch_first=True,
            enforce_sorted=False,
        )
        states, last = self.encoder(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        return self.dropout(states), torch.cat([last[0], last[1]], dim=1)[None], padding

    def decode(
        self, tokens: Tensor, hidden: Tensor, states: Tensor, padding: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return scores of the next tokens (n, n_tokens, n_target), the state and attention."""
        outputs, hidden = self.decoder(self.dropout(self.target(tokens)), hidden)
        match = self.query(outputs) @ states.transpose(1, 2) / math.sqrt(states.shape[-1])
        attention = match.masked_fill(padding[:, None], -torch.inf).softmax(dim=-1)
        mixed = torch.tanh(self.mix(torch.cat([outputs, attention @ states], dim=-1)))
        return self.output(self.dropout(mixed)), hidden, attention

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        """Return the scores of each token of the target after the first, given those before it."""
        states, hidden, padding = self.encode(source)
        return self.decode(target[:, :-1], hidden, states, padding)[0]


def pad(rows: Tokens) -> Tensor:
    """Return rows of tokens as one matrix, (n_rows, n_longest)."""
    tensors = [torch.as_tensor(row, dtype=torch.long) for row in rows]
    return nn.utils.rnn.pad_sequence(tensors, batch_first=True, padding_value=PAD)


# Training ---------------------------------------------------------------------------------------


def train(
    net: Seq2Seq, sources: Tokens, targets: Tokens, n_steps: int, batch_size: int, rate: float
) -> None:
    """Train a net by Adam on pairs of tokens, with a rate that rises and then falls to zero."""
    optimizer = torch.optim.Adam(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=n_steps, pct_start=0.15
    )
    loss = nn.CrossEntropyLoss(ignore_index=PAD, label_smoothing=0.1)
    net.train()
    batches = iter_batches([len(row) for row in sources], batch_size)
    for _, rows in zip(range(n_steps), batches, strict=False):
        target = pad([targets[i] for i in rows])
        scores = net(pad([sources[i] for i in rows]), target)
        optimizer.zero_grad()
        loss(scores.flatten(0, 1), target[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    net.eval()


def iter_batches(lengths: Sequence[int], size: int) -> Iterator[list[int]]:
    """Yield positions of rows of about equal length, in random order, epoch after epoch."""
    while True:
        # The random fractions shuffle the rows of one length.
        order = torch.argsort(torch.as_tensor(lengths) + 3.0 * torch.rand(len(lengths)))
        batches = order.split(size)
        for i in torch.randperm(len(batches)).tolist():
            yield batches[i].tolist()


# Search -----------------------------------------------------------------------------------------


class Hypotheses(NamedTuple):
    """The best translations of one row, the best first.

    Attributes
    ----------
    tokens : list of lists of int
        The tokens of each, without START and END.
    origins : list of lists of int
        The place in the source that each token attends to most.
    log_likelihood : list of float
        The logarithm of the probability of each.
    lengths : list of int
        Numbers of tokens, END included: what the probability is the product over.
    """

    tokens: list[list[int]]
    origins: list[list[int]]
    log_likelihood: list[float]
    lengths: list[int]


@torch.no_grad()
def search(net: Seq2Seq, sources: Tokens, width: int, max_length: int = 40) -> list[Hypotheses]:
    """Search for the most probable translations of each row, by beams of some width."""
    by_length = np.argsort([len(row) for row in sources], kind="stable")
    found: dict[int, Hypotheses] = {}
    for rows in np.array_split(by_length, max(1, math.ceil(len(by_length) / 200))):
        beams = _search_batch(net, pad([sources[i] for i in rows]), width, max_length)
        found.update(zip(rows.tolist(), beams, strict=True))
    return [found[i] for i in range(len(sources))]


def _search_batch(net: Seq2Seq, source: Tensor, width: int, max_length: int) -> list[Hypotheses]:
    n = len(source)
    states, hidden, padding = net.encode(source)
    states, padding = (each.repeat_interleave(width, dim=0) for each in (states, padding))
    hidden = hidden.repeat_interleave(width, dim=1)
    tokens = torch.full((n * width, 1), START)
    origins = torch.zeros((n * width, 1), dtype=torch.long)
    total = torch.full((n, width), -torch.inf)
    total[:, 0] = 0.0  # all beams are equal at the start
    first = torch.arange(n)[:, None] * width
    for _ in range(max_length):
        scores, hidden, attention = net.decode(tokens[:, -1:], hidden, states, padding)
        steps = _score_steps(scores[:, -1], tokens)  # (n * width, n_target)
        sums = total[..., None] + steps.view(n, width, -1)
        total, best = sums.flatten(1).topk(width, dim=1)
        parents = (first + best // steps.shape[1]).flatten()
        tokens = torch.cat([tokens[parents], best.view(-1, 1) % steps.shape[1]], dim=1)
        looked_at = attention[parents, -1].argmax(dim=-1, keepdim=True)
        origins = torch.cat([origins[parents], looked_at], dim=1)
        hidden = hidden[:, parents]
        if _have_ended(tokens).all():
            break
    shape = (n, width, -1)
    return [
        _collect(*parts)
        for parts in zip(tokens.view(shape), origins.view(shape), total.tolist(), strict=True)
    ]


def _score_steps(scores: Tensor, tokens: Tensor) -> Tensor:
    """Return log probabilities of the next tokens; a beam that has ended goes on with padding."""
    scores[:, [PAD, START]] = -torch.inf
    steps = scores.log_softmax(dim=-1)
    ended = _have_ended(tokens)
    steps[ended] = -torch.inf
    steps[ended, PAD] = 0.0
    return steps


def _have_ended(tokens: Tensor) -> Tensor:
    return (tokens[:, -1] == END) | (tokens[:, -1] == PAD)


def _collect(tokens: Tensor, origins: Tensor, total: list[float]) -> Hypotheses:
    """Return the beams of a row, (width, n_tokens), by their likelihood per token."""
    found = []
    for row, places, value in zip(tokens.tolist(), origins.tolist(), total, strict=True):
        if value == -math.inf:  # fewer sequences than beams
            continue
        length = sum(token != PAD for token in row) - 1
        kept = [i for i, token in enumerate(row) if token not in (PAD, START, END)]
        found.append((value, length, [row[i] for i in kept], [places[i] for i in kept]))
    found.sort(key=lambda each: -each[0] / each[1])
    return Hypotheses(
        [each[2] for each in found],
        [each[3] for each in found],
        [each[0] for each in found],
        [each[1] for each in found],
    )
