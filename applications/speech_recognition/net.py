"""A small convolutional net with a CTC loss, its training, and its search by beams."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from heapq import nlargest
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

BLANK = 0  # the number of the token that says nothing
STRIDE = 3  # frames that the net reads at once
BLOCK = 16 * STRIDE  # sounds are padded to multiples of it: few lengths, few kernels
UNLABELED = -100

Frames = NDArray[np.float32]
Tokens = Sequence[int]


class SoundNet(nn.Module):
    """Convolutions over time, which give the tokens' probabilities for each three frames.

    Parameters
    ----------
    n_mels : int
        Bands of a frame.
    n_tokens : int
        Tokens, the blank one among them.
    width : int
        Channels.
    """

    def __init__(self, n_mels: int, n_tokens: int, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *make_layer(n_mels, width, 2 * STRIDE + 1, STRIDE),
            *make_layer(width, width, 5),
            *make_layer(width, width, 5),
        )
        self.output = nn.Linear(width, n_tokens)
        with torch.no_grad():
            self.output.bias[BLANK] = -1.0  # or it learns first that blanks are never wrong

    def forward(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """Return log probabilities (n, n_steps, n_tokens), and states (n, n_steps, width)."""
        states = self.layers(frames.transpose(1, 2)).transpose(1, 2)
        scores = self.output(functional.dropout(states, 0.1, self.training))
        return scores.log_softmax(dim=-1), states


def make_layer(n_in: int, n_out: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Return a convolution, normalization and a ReLU."""
    return [
        nn.Conv1d(n_in, n_out, size, stride, size // 2),
        nn.BatchNorm1d(n_out),
        nn.ReLU(),
    ]


def pad(rows: Sequence[Frames]) -> tuple[Tensor, Tensor]:
    """Return rows with silence behind them, (n, n_frames, n_mels), and the steps of each."""
    n_frames = find_padded_length(max(map(len, rows)))
    padded = np.stack(
        [np.vstack([row, np.tile(row.min(axis=0), (n_frames - len(row), 1))]) for row in rows]
    )
    return torch.from_numpy(padded), torch.tensor([count_steps(len(row)) for row in rows])


def find_padded_length(n_frames: int) -> int:
    """Return the next multiple of BLOCK."""
    return -(-n_frames // BLOCK) * BLOCK


def count_steps(n_frames: int) -> int:
    """Return how many steps of the net a sound has."""
    return -(-n_frames // STRIDE)


# Training ---------------------------------------------------------------------------------------


def train(
    net: SoundNet,
    rows: Sequence[Frames],
    tokens: Sequence[Tokens],
    n_steps: int,
    batch_size: int,
    rate: float,
    generator: np.random.Generator,
) -> None:
    """Train a net by Adam on sounds and their tokens, with a rate that rises and then falls.

    CTC alone takes hundreds of steps to leave its first solution, blanks everywhere. So the first
    three tenths of the steps assume that the tokens of a sound share its loud frames equally.
    """
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=n_steps, pct_start=0.2
    )
    net.train()
    batches = iter_batches([len(row) for row in rows], batch_size, generator)
    for step, batch in zip(range(n_steps), batches, strict=False):
        sounds = [vary(rows[i], generator) for i in batch]
        loss = find_loss(net, sounds, [tokens[i] for i in batch], is_flat=step < 0.3 * n_steps)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 2.0)
        optimizer.step()
        schedule.step()
    net.eval()


def iter_batches(
    lengths: Sequence[int], size: int, generator: np.random.Generator
) -> Iterator[list[int]]:
    """Yield positions of rows of about equal length, in random order, epoch after epoch."""
    while True:
        # The random factors shuffle rows of about one length.
        order = np.argsort(lengths * generator.uniform(0.7, 1.4, len(lengths)))
        batches = np.array_split(order, max(1, round(len(order) / size)))
        for i in generator.permutation(len(batches)):
            yield batches[i].tolist()


def vary(row: Frames, generator: np.random.Generator) -> Frames:
    """Return a sound as if it were said faster or slower, by at most 15 %.

    Hidden bands and shifted voices made it worse: a hundred steps are too few to learn from them.
    """
    n_frames = max(STRIDE, round(len(row) * generator.uniform(0.85, 1.15)))
    return interpolate(row, np.linspace(0, len(row) - 1, n_frames))


def interpolate(values: Frames, places: NDArray[np.float64]) -> Frames:
    """Return rows at places between the rows of a matrix."""
    before = places.astype(np.intp)
    after = np.minimum(before + 1, len(values) - 1)
    share = (places - before)[:, np.newaxis].astype(np.float32)
    between: Frames = values[before] * (1 - share) + values[after] * share
    return between


def find_loss(
    net: SoundNet, sounds: Sequence[Frames], tokens: Sequence[Tokens], is_flat: bool
) -> Tensor:
    """Return the CTC loss of a batch; or, if `is_flat`, that of tokens at guessed places."""
    frames, n_steps = pad(sounds)
    log_proba, _ = net(frames)
    if is_flat:
        guessed = [
            guess_places(sound, row, log_proba.shape[1])
            for sound, row in zip(sounds, tokens, strict=True)
        ]
        places = torch.from_numpy(np.stack(guessed))
        return functional.nll_loss(log_proba.transpose(1, 2), places, ignore_index=UNLABELED)
    joined = torch.tensor([token for row in tokens for token in row], dtype=torch.long)
    n_tokens = torch.tensor([len(row) for row in tokens])
    return functional.ctc_loss(
        log_proba.transpose(0, 1), joined, n_steps, n_tokens, BLANK, zero_infinity=True
    )


def guess_places(sound: Frames, tokens: Tokens, n_padded: int) -> NDArray[np.int64]:
    """Return a token for each step: they share the loud ones equally, the others are blank."""
    n_steps = count_steps(len(sound))
    loudness = np.pad(sound.mean(axis=1), (0, n_steps * STRIDE - len(sound)), mode="edge")
    steps = loudness.reshape(n_steps, STRIDE).mean(axis=1)
    quiet = np.quantile(steps, 0.1)
    loud = np.flatnonzero(steps > quiet + 0.25 * (steps.max() - quiet))
    places = np.full(n_padded, UNLABELED)
    places[:n_steps] = BLANK
    if len(tokens):
        for part, token in zip(np.array_split(loud, len(tokens)), tokens, strict=True):
            places[part] = token
    return places


# Reading a net ----------------------------------------------------------------------------------


class Output(NamedTuple):
    """The output of a net for one sound.

    Attributes
    ----------
    log_proba : ndarray of shape (n_steps, n_tokens)
        Log probabilities of the tokens at each step.
    state : ndarray of shape (width,)
        The mean of the states before the last layer.
    """

    log_proba: NDArray[np.float32]
    state: NDArray[np.float32]


@torch.no_grad()
def run_net(net: SoundNet, rows: Sequence[Frames], batch_size: int = 64) -> list[Output]:
    """Return what a net says of each sound, whatever the others are."""
    lengths = np.array([find_padded_length(len(row)) for row in rows])
    outputs: dict[int, Output] = {}
    for length in np.unique(lengths):
        same = np.flatnonzero(lengths == length)
        for part in np.array_split(same, -(-len(same) // batch_size)):
            frames, n_steps = pad([rows[i] for i in part])
            for i, log_proba, states, n in zip(part, *net(frames), n_steps, strict=True):
                outputs[int(i)] = Output(log_proba[:n].numpy(), states[:n].mean(dim=0).numpy())
    return [outputs[i] for i in range(len(rows))]


class Hypotheses(NamedTuple):
    """The most probable strings of tokens of one sound, the best first.

    Attributes
    ----------
    tokens : list of tuple of int
        The tokens of each, without blanks.
    log_likelihood : list of float
        The logarithm of the probability of each, summed over the paths that were followed.
    """

    tokens: list[tuple[int, ...]]
    log_likelihood: list[float]


def search(log_proba: Any, width: int, floor: float = 1e-3) -> Hypotheses:
    """Search for the most probable strings of tokens, by beams of prefixes.

    A path has one token or a blank per step; its string is without repetitions and blanks. Each
    prefix has two sums over its paths: of those that end with a blank, and of the others.

    Parameters
    ----------
    log_proba : ndarray of shape (n_steps, n_tokens)
        Log probabilities of the tokens.
    width : int
        Prefixes that are kept at each step.
    floor : float, default=1e-3
        Tokens of lower probability do not prolong a prefix.

    References
    ----------
    Graves et al., "Connectionist temporal classification", ICML 2006,
    :doi:`10.1145/1143844.1143891`; Hannun et al., "First-pass large vocabulary continuous speech
    recognition using bi-directional recurrent DNNs", 2014, :doi:`10.48550/arXiv.1408.2873`.
    """
    beams: dict[tuple[int, ...], tuple[float, float]] = {(): (1.0, 0.0)}
    total = 0.0  # the logarithm of what the sums were divided by
    for step in np.exp(log_proba, dtype=np.float64).tolist():
        grown = _prolong(beams, step, floor)
        best = nlargest(width, grown.items(), key=lambda item: sum(item[1]))
        scale = sum(best[0][1])
        beams = {prefix: (blank / scale, other / scale) for prefix, (blank, other) in best}
        total += math.log(scale)
    found = sorted(((sum(sums), prefix) for prefix, sums in beams.items()), reverse=True)
    found = [each for each in found if each[0] > 0.0]
    return Hypotheses(
        [prefix for _, prefix in found], [total + math.log(value) for value, _ in found]
    )


def _prolong(
    beams: dict[tuple[int, ...], tuple[float, float]], step: list[float], floor: float
) -> dict[tuple[int, ...], list[float]]:
    """Return the sums of all prefixes after one more step."""
    likely = [token for token, p in enumerate(step) if p > floor and token != BLANK]
    grown: dict[tuple[int, ...], list[float]] = {}
    for prefix, (blank, other) in beams.items():
        last = prefix[-1] if prefix else BLANK
        sums = grown.setdefault(prefix, [0.0, 0.0])
        sums[0] += (blank + other) * step[BLANK]
        sums[1] += other * step[last]  # said for one step more
        for token in likely:
            before = blank if token == last else blank + other  # a blank is between two equal ones
            grown.setdefault((*prefix, token), [0.0, 0.0])[1] += before * step[token]
    return grown
