"""Adapter for skorch's nets that find boxes in a row: detectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from skactive._utils.array_types import Floats
from skactive.adapters._elements import StructuredAdapter
from skactive.adapters._skorch import NetAdapter, read_privately
from skactive.exceptions import InvalidReadingError

__all__ = ["BoxNetAdapter"]

Tensor = torch.Tensor


class BoxNetAdapter(StructuredAdapter, NetAdapter):
    """A detector: a net that gives the boxes that it finds in each row.

    The user's net or module says so in an attribute, ``element = "box"``. The output is a list with
    one dict per row, as torchvision's detectors give it: ``boxes`` (n_boxes, 4), the corners (left,
    top, right, bottom), ``labels`` (n_boxes,) and ``scores`` (n_boxes,); or, instead of scores,
    ``proba`` (n_boxes, n_classes).

    Notes
    -----
    Where a detector gives a score, that of the predicted class alone, a box has two columns of
    probability, ``[1 - score, score]``: whether the prediction is wrong or right. The margin of the
    two best classes needs ``proba``, which torchvision's detectors do not give away.

    There are no draws: with other dropout masks a detector finds other boxes.
    """

    element = "box"
    codes_only = False

    @property
    def classes(self) -> NDArray[Any] | None:
        """Classes given to the net, or None."""
        classes = getattr(self.model, "classes", None)
        return None if classes is None else np.asarray(classes)

    def _provides_of_elements(self, reading: str) -> bool:
        return reading in {"boxes", "prediction", "proba"}

    def proba(self, Z: Any) -> list[Floats]:  # type: ignore[override]
        return [_get_proba(found) for found in self._find_boxes(Z, ())]

    def prediction(self, Z: Any) -> list[NDArray[Any]]:  # type: ignore[override]
        return [found["labels"].numpy() for found in self._find_boxes(Z, ("labels",))]

    def boxes(self, Z: Any) -> list[Floats]:
        return [found["boxes"].numpy().reshape(-1, 4) for found in self._find_boxes(Z, ("boxes",))]

    def _find_boxes(self, Z: Any, keys: tuple[str, ...]) -> list[Mapping[str, Tensor]]:
        found: list[Mapping[str, Tensor]] = []
        with read_privately(self.model) as net:
            for batch in net.forward_iter(Z):
                found += list(batch) if isinstance(batch, list | tuple) else [batch]
        for row in found:
            if not isinstance(row, Mapping) or not set(keys) <= row.keys():
                wanted = ", ".join(map(repr, keys or ("scores",)))
                got = sorted(row) if isinstance(row, Mapping) else type(row).__name__
                raise InvalidReadingError(
                    f"{type(self.model).__name__} says element = 'box', so that each row's output "
                    f"must be a dict with {wanted}; got {got}."
                )
        return found


def _get_proba(found: Mapping[str, Tensor]) -> Floats:
    """Return the probabilities of the boxes of a row, (n_boxes, n_classes)."""
    if "proba" in found:
        return found["proba"].numpy()
    if "scores" not in found:
        raise InvalidReadingError(
            f"A detector must give 'scores' or 'proba' for its boxes; got {sorted(found)}."
        )
    return torch.stack([1.0 - found["scores"], found["scores"]], dim=1).numpy()
