"""A small net that predicts which parts of a noisy spectrogram are speech, and its score."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNetRegressor
from skorch.callbacks import LRScheduler
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR
from torch.utils.data import DataLoader, RandomSampler

from skactive.applications import Task

POWER = 0.5  # of magnitudes: quiet cells count too
MAX_RATE = 0.003


def transform(sounds: Tensor, width: int) -> Tensor:
    """Return complex spectra of half overlapping windows, (n_rows, n_bins, n_frames)."""
    window = torch.hann_window(width)
    return torch.stft(sounds, width, width // 2, window=window, return_complex=True)


def invert(spectra: Tensor, width: int, n_samples: int) -> Tensor:
    """Return the sounds of spectra, (n_rows, n_samples)."""
    window = torch.hann_window(width)
    return torch.istft(spectra, width, width // 2, window=window, length=n_samples)


def compress(spectra: Tensor) -> Tensor:
    """Return magnitudes to the power of POWER."""
    return spectra.abs().pow(POWER)


class MaskNet(nn.Module):
    """Convolutions over time that predict a mask, with which they multiply the noisy magnitudes.

    Each frame is seen beside its neighbors and the mean over the recording, in which steady noise
    shows. Dropout leaves out whole channels; its draws are the uncertainty of each cell.

    Parameters
    ----------
    width : int
        Samples of a window, even.
    n_channels : int
        Channels of the hidden layers.
    dropout : float
        Share of the channels that are dropped.
    """

    element = "pixel"  # skactive reads a number for each cell of the spectrogram

    def __init__(self, width: int, n_channels: int = 64, dropout: float = 0.2) -> None:
        super().__init__()
        self.width = width
        n_bins = width // 2 + 1
        self.frames = nn.Conv1d(n_bins, n_channels, 3, padding=1)
        self.steady = nn.Conv1d(n_bins, n_channels, 1)
        self.layers = nn.Sequential(
            nn.ReLU(),
            nn.Dropout1d(dropout),
            nn.Conv1d(n_channels, n_channels, 3, padding=1),
            nn.ReLU(),
            nn.Dropout1d(dropout),
            nn.Conv1d(n_channels, n_bins, 1),
            nn.Sigmoid(),
        )

    def forward(self, X: Tensor) -> Tensor:
        """Return the enhanced magnitudes, compressed, (n_rows, n_bins, n_frames)."""
        noisy = compress(transform(X, self.width))
        hidden = self.frames(noisy) + self.steady(noisy.mean(dim=2, keepdim=True))
        return noisy * self.layers(hidden)


class SpectralLoss(nn.Module):
    """The mean squared difference to the compressed magnitudes of the clean recordings."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.width = width

    def forward(self, enhanced: Tensor, clean: Tensor) -> Tensor:
        """Return the loss of magnitudes, (n_rows, n_bins, n_frames), and sounds."""
        return nn.functional.mse_loss(enhanced, compress(transform(clean, self.width)))


def draw_batches(dataset: Any, batch_size: int, n_steps: int) -> DataLoader[Any]:
    """Return `n_steps` batches, in which all rows take their turn."""
    sampler = RandomSampler(dataset, num_samples=n_steps * batch_size)
    return DataLoader(dataset, batch_size, sampler=sampler)


def make_model(task: Task) -> NeuralNetRegressor:
    """Return the net, which is trained for the same number of steps on any number of pairs."""
    width, n_steps = 2 * round(0.016 * task.details.rate), task.details.n_steps  # 32 ms
    return NeuralNetRegressor(
        MaskNet,
        module__width=width,
        criterion=SpectralLoss,
        criterion__width=width,
        optimizer=torch.optim.AdamW,
        batch_size=16,
        max_epochs=1,  # of n_steps batches
        iterator_train=draw_batches,
        iterator_train__n_steps=n_steps,
        iterator_valid__batch_size=256,
        callbacks=[
            LRScheduler(OneCycleLR, max_lr=MAX_RATE, total_steps=n_steps + 1, step_every="batch")
        ],
        train_split=None,
        verbose=0,
    )


def enhance(model: Any, X: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return sounds without noise, (n_rows, n_samples): the noisy spectra times the mask."""
    net = model.estimator_ if hasattr(model, "estimator_") else model
    width = net.module_.width
    spectra = transform(torch.as_tensor(X), width)
    mask = torch.as_tensor(model.predict(X)) / compress(spectra).clamp(min=1e-8)
    return invert(spectra * mask.pow(1 / POWER), width, X.shape[1]).numpy()


def si_sdr(estimates: Any, targets: Any) -> NDArray[np.float64]:
    r"""Return the scale-invariant signal-to-distortion ratio of each row, in decibels.

    .. math:: 10 \log_{10} \frac{\|\alpha s\|^2}{\|\alpha s - \hat s\|^2}, \qquad
        \alpha = \hat s^\top s / \|s\|^2

    Parameters
    ----------
    estimates, targets : array-like of shape (n_rows, n_samples)
        Sounds :math:`\hat s`, and what they should be, :math:`s`, up to their loudness.

    References
    ----------
    Le Roux, Wisdom, Erdogan and Hershey, "SDR - half-baked or well done?", ICASSP 2019,
    :doi:`10.1109/ICASSP.2019.8683855`.
    """
    estimates, targets = (np.asarray(each, dtype=np.float64) for each in (estimates, targets))
    alpha = np.sum(estimates * targets, axis=1) / np.sum(targets**2, axis=1)
    scaled = alpha[:, np.newaxis] * targets
    distortion = np.sum((scaled - estimates) ** 2, axis=1)
    return 10 * np.log10(np.sum(scaled**2, axis=1) / distortion)


def mean_improvement(model: Any, X: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    """Return by how many decibels the SI-SDR of the sounds improves, on average."""
    return float(np.mean(si_sdr(enhance(model, X), y) - si_sdr(X, y)))
