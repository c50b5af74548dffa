"""A small one-stage detector: each cell of a grid says what is there, and where its box ends."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from skorch import NeuralNet
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset, RandomSampler

__all__ = ["BoxLoss", "CellDetector", "DetectorNet", "collate", "suppress"]


class Grid(NamedTuple):
    """The output of the net in training mode, for n pictures with n_cells cells each."""

    logits: Tensor  # (n, n_cells, n_classes + 1), the background last
    boxes: Tensor  # (n, n_cells, 4): center x, center y, log width, log height, in pixels
    centers: Tensor  # (n_cells, 2), of the cells, in pixels


class CellDetector(nn.Module):
    """Find boxes: a few convolutions, then a class and a box for each cell of the grid.

    A cell sees its own surroundings in fine detail, and a wide part of the picture at half of the
    grid's resolution; so small things are placed exactly, and large ones are seen whole.

    In training mode it returns a `Grid`, for the loss; else, as torchvision's detectors do, a dict
    for each picture, with ``boxes``, ``labels``, ``scores`` and ``proba``, best first.

    Parameters
    ----------
    n_classes : int
        Number of classes.
    widths : tuple of int
        Channels of the grid, and of the wide view.
    side : float
        A typical side of a box in pixels, where training starts.
    threshold : float
        Boxes of a lower score are no candidates.
    overlap : float
        Boxes of one class with a larger intersection over union are the same.
    n_candidates : int
        So many boxes of the highest scores are candidates at most: a net that has learned little
        finds one in every cell.
    """

    element = "box"  # says to skactive what the net finds in a row
    stride = 4  # side of a cell in pixels

    def __init__(
        self,
        n_classes: int,
        widths: tuple[int, int] = (32, 48),
        side: float = 16.0,
        threshold: float = 0.05,
        overlap: float = 0.45,
        n_candidates: int = 500,
    ) -> None:
        super().__init__()
        self.threshold, self.overlap, self.n_candidates = threshold, overlap, n_candidates
        fine, wide = widths
        self.fine = make_block(3, fine, 6, stride=self.stride, padding=1)
        self.wide = nn.Sequential(
            make_block(fine, wide, 3, stride=2, padding=1),
            make_block(wide, wide, 3, padding=2, dilation=2),
            make_block(wide, wide, 3, padding=3, dilation=3),
            nn.Conv2d(wide, fine, 1),
        )
        self.joint = make_block(fine, fine, 3, padding=1)
        self.head = nn.Conv2d(fine, n_classes + 1 + 4, 1)
        with torch.no_grad():  # all cells start as background
            self.head.bias[-5:] = torch.tensor([2.0, 0.0, 0.0, np.log(side), np.log(side)])

    def forward(self, X: Tensor) -> Any:
        """Return what is found in pictures, (n, height, width, 3) of uint8."""
        grid = self.read_grid(X)
        return grid if self.training else self.find_boxes(grid)

    def read_grid(self, X: Tensor) -> Grid:
        """Return what each cell says."""
        pixels = functional.instance_norm(X.movedim(-1, 1).float(), eps=1.0)
        fine = self.fine(pixels)
        wide = functional.interpolate(self.wide(fine), size=fine.shape[2:])
        maps = self.head(self.joint(fine + wide))
        rows, columns = maps.shape[2:]
        y, x = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        centers = (torch.stack([x, y], -1).reshape(-1, 2) + 0.5) * self.stride
        cells = maps.flatten(2).transpose(1, 2)
        shift, log_size = cells[..., -4:-2] * self.stride, cells[..., -2:]
        return Grid(cells[..., :-4], torch.cat([centers + shift, log_size], -1), centers)

    def find_boxes(self, grid: Grid) -> list[dict[str, Tensor]]:
        """Return the boxes of each picture whose scores are high, each thing once."""
        sizes = grid.boxes[..., 2:].exp()
        corners = torch.cat([grid.boxes[..., :2] - sizes / 2, grid.boxes[..., :2] + sizes / 2], -1)
        return [self._choose(*row) for row in zip(grid.logits.softmax(-1), corners, strict=True)]

    def _choose(self, proba: Tensor, corners: Tensor) -> dict[str, Tensor]:
        scores, labels = proba[:, :-1].max(-1)
        order = torch.argsort(scores, descending=True, stable=True)
        order = order[scores[order] > self.threshold][: self.n_candidates]
        kept = order[suppress(corners[order], labels[order], self.overlap)]
        found = {"boxes": corners, "labels": labels, "scores": scores, "proba": proba}
        return {name: values[kept] for name, values in found.items()}


def make_block(n_in: int, n_out: int, size: int, **options: int) -> nn.Sequential:
    """Return a convolution, normalization and a ReLU."""
    convolution = nn.Conv2d(n_in, n_out, size, bias=False, **options)
    return nn.Sequential(convolution, nn.BatchNorm2d(n_out), nn.ReLU())


def suppress(boxes: Tensor, labels: Tensor, overlap: float) -> Tensor:
    """Return which boxes, (n, 4) and best first, repeat no better one of their class, (n,)."""
    alike = (measure_overlap(boxes, boxes) > overlap) & (labels[:, None] == labels)
    alike = alike.numpy()
    kept = np.ones(len(boxes), dtype=bool)
    for i in range(len(boxes)):
        if kept[i]:
            kept[i + 1 :] &= ~alike[i, i + 1 :]
    return torch.from_numpy(kept)


def measure_overlap(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the intersection over union of boxes, (n, 4) and (m, 4), as (n, m)."""
    low = torch.maximum(boxes[:, None, :2], others[:, :2])
    high = torch.minimum(boxes[:, None, 2:], others[:, 2:])
    common = (high - low).clamp(min=0).prod(-1)
    area, other = ((b[:, 2:] - b[:, :2]).prod(-1) for b in (boxes, others))
    return common / (area[:, None] + other - common).clamp(min=1e-9)


class BoxLoss(nn.Module):
    """Cross-entropy of the classes of cells, and the distance of their boxes in shares of a side.

    A cell belongs to the smallest box whose middle half it is in; all others are background. The
    cells of a box count together as much as `weight` cells of the background, so that small things
    count as much as large ones.

    Parameters
    ----------
    weight : float
        Cells of the background that a box counts for.
    """

    def __init__(self, weight: float = 8.0) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, grid: Grid, target: Tensor) -> Tensor:
        """Return the loss of a batch whose boxes, (n, n_boxes, 5), are class and corners."""
        owner, labels = assign_cells(grid, target)
        taken = labels < grid.logits.shape[-1] - 1
        counts = torch.zeros(target.shape[:2]).scatter_add_(1, owner, taken.float())
        weights = torch.where(taken, self.weight / counts.gather(1, owner).clamp(min=1.0), 1.0)
        losses = functional.cross_entropy(grid.logits.mT, labels, reduction="none")
        classes = (weights * losses).sum() / weights.sum()
        if not taken.any():
            return classes
        wanted = torch.take_along_dim(target[..., 1:], owner[..., None], 1)  # corners
        distances = measure_distance(grid.boxes[taken], wanted[taken])
        return classes + (weights[taken] * distances).sum() / weights[taken].sum() / 2


def measure_distance(found: Tensor, corners: Tensor) -> Tensor:
    """Return how far boxes, as a grid has them, are from corners, (n, 4) both: (n,)."""
    low, high = corners[:, :2], corners[:, 2:]
    shift = (found[:, :2] - (low + high) / 2).abs() / (high - low)
    growth = (found[:, 2:] - (high - low).log()).abs()
    return (shift + growth).sum(-1)


def assign_cells(grid: Grid, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the box that each cell belongs to, and its class, both (n, n_cells)."""
    classes, corners = target[..., 0].long(), target[..., 1:]
    middle, size = (corners[..., :2] + corners[..., 2:]) / 2, corners[..., 2:] - corners[..., :2]
    reach = (size / 4).clamp(min=float(grid.centers[0, 0]))  # at least to the nearest cell
    away = (grid.centers - middle[:, :, None]).abs()  # (n, n_boxes, n_cells, 2)
    inside = (away <= reach[:, :, None]).all(-1) & (classes >= 0)[..., None]
    areas = torch.where(inside, size.prod(-1)[..., None], torch.inf)
    area, owner = areas.min(1)
    background = grid.logits.shape[-1] - 1
    return owner, torch.where(area.isinf(), background, classes.gather(1, owner))


class Pictures(Dataset):
    """Pictures and their boxes, one dict for each; skorch's own takes no lists of dicts."""

    def __init__(self, X: Any, y: Any = None) -> None:
        self.X, self.y = X, y

    def __len__(self) -> int:
        return len(self.X)

    def __getitem__(self, i: int) -> tuple[Any, Any]:
        return self.X[i], 0 if self.y is None else self.y[i]


def collate(rows: list[tuple[Any, dict[str, Any]]]) -> tuple[Tensor, Tensor]:
    """Return a batch to learn from: pictures, and boxes as (n, n_boxes, 5), padded with class -1.

    Each picture is turned over at random, along either side.
    """
    images = torch.stack([torch.as_tensor(image) for image, _ in rows])
    n_boxes = max(1, *(len(target["labels"]) for _, target in rows))
    targets = torch.tensor([-1.0, 0.0, 0.0, 1.0, 1.0]).repeat(len(rows), n_boxes, 1)
    for row, (_, target) in zip(targets, rows, strict=True):
        row[: len(target["labels"]), 0] = torch.as_tensor(target["labels"])
        row[: len(target["labels"]), 1:] = torch.as_tensor(target["boxes"])
    height, width = images.shape[1:3]
    for low, length, axis in ((1, width, 2), (2, height, 1)):
        turned = torch.rand(len(rows)) < 0.5
        images[turned] = images[turned].flip(axis)
        targets[turned, :, low::2] = length - targets[turned][..., low::2].flip(-1)
    return images, targets


class DetectorNet(NeuralNet):
    """skorch's net, which learns for a number of steps, however few pictures it has.

    Parameters
    ----------
    *args, **kwargs
        As for skorch's net.
    n_steps : int
        Number of batches to learn from.
    """

    def __init__(
        self, *args: Any, n_steps: int = 300, dataset: Any = Pictures, **kwargs: Any
    ) -> None:
        super().__init__(*args, dataset=dataset, **kwargs)
        self.n_steps = n_steps

    def get_iterator(self, dataset: Dataset[Any], training: bool = False) -> Any:
        """Return batches; in training, `n_steps` of them, in which all pictures take their turn."""
        if not training:
            return super().get_iterator(dataset, training)
        sampler = RandomSampler(dataset, num_samples=self.n_steps * self.batch_size)
        return DataLoader(dataset, self.batch_size, sampler=sampler, collate_fn=collate)

    def predict(self, X: Any) -> list[dict[str, Any]]:
        """Return what is found in each picture, as a dict of arrays."""
        return [
            {name: values.numpy() for name, values in found.items()}
            for batch in self.forward_iter(X)
            for found in batch
        ]
