"""Adapter for skorch's nets that predict each pixel or token of a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from inspect import signature
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet

from skactive._utils.array_types import Floats
from skactive.adapters._base import register
from skactive.adapters._elements import StructuredAdapter
from skactive.adapters._skorch import NetAdapter, copy_privately, read_privately
from skactive.adapters._skorch_boxes import BoxNetAdapter
from skactive.adapters._token_masks import TOKEN_MASKS, list_masks, list_words
from skactive.adapters._torch_masks import Masks, get_first_argument
from skactive.exceptions import InvalidReadingError

__all__: list[str] = []

Tensor = torch.Tensor

_KINDS = ("box", "pixel", "token")
_BINARY_LOSSES = (torch.nn.BCELoss, torch.nn.BCEWithLogitsLoss)
_CLASS_LOSSES = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)
_LAYERS = (torch.nn.Linear, torch.nn.modules.conv._ConvNd)


def find_element(net: NeuralNet) -> str | None:
    """Return what a net predicts, by the attribute `element` of the net or of its module."""
    module = vars(net).get("module_", net.module)
    for owner in (net, module):
        element = getattr(owner, "element", None)
        if isinstance(element, str):
            if element in _KINDS:
                return element
            raise InvalidReadingError(
                f"element of {type(net).__name__} or of its module must be one of "
                f"{', '.join(map(repr, _KINDS))}, got {element!r}."
            )
    return None


class DenseNetAdapter(StructuredAdapter, NetAdapter):
    """A net that predicts each pixel or token of a row.

    The user's net or module says so in an attribute, ``element = "pixel"`` or ``"token"``: the
    shape of what a net gives is not known without rows. The output is

    - (n, n_classes, ...) for pixels, (n, ..., n_classes) for tokens, unless the module says
      otherwise in an attribute ``class_axis``. A net whose loss is torch's own CrossEntropyLoss or
      NLLLoss, and whose `get_loss` is skorch's, has its classes in axis 1, as these losses demand;
    - with BCELoss or BCEWithLogitsLoss, any shape (n, ...): a unit is an element of two classes;
    - of a regressor, any shape (n, ...): a unit is an element.

    Scores become probabilities by skorch's ``predict_nonlinearity``; ``"auto"`` acts on the classes
    wherever their axis is, and a function of the user's on the output as it is.

    Padding is hidden by these entries of rows, if they are a dict: ``attention_mask``
    (n, n_tokens) is 0 for padding, ``special_tokens_mask`` is 1 for tokens such as [CLS],
    ``word_ids`` is the number of each piece's word, of which the first piece is the element, and
    negative outside words, and ``lengths`` (n,) are numbers of tokens. To what a fast tokenizer of
    Hugging Face returns in a pipeline (``skorch.hf``), the words are added. Of any rows, the net's
    second output hides elements, if it is truth values (n, ...), True for elements.

    Notes
    -----
    Draws come from dropout, as for other nets. The features of elements are the input of the last
    layer, if there is one for each, and those of rows are their mean over the row.
    """

    codes_only = False  # labels of elements are the user's to encode
    yields_draws = True

    def __init__(self, model: NeuralNet, element: str) -> None:
        super().__init__(model)
        self.element = element

    @property
    def classes(self) -> NDArray[Any] | None:
        """Classes given to the net; else None: labels may hold numbers that are no class."""
        classes = getattr(self.model, "classes", None)
        return None if classes is None else np.asarray(classes)

    def prepare(self, X: Any) -> Any:
        """Add the words of the pieces to what a fast tokenizer of Hugging Face returns."""
        if getattr(X, "is_fast", False) and "word_ids" not in X:
            return {**X, "word_ids": list_words(X)}
        return X

    def _provides_of_elements(self, reading: str) -> bool:
        numbers, draws = self.estimator_type == "regressor", self._has_dropout()
        if reading in {"proba", "gradient_factors"}:
            return not numbers
        if reading in {"proba_samples", "joint_samples"}:
            return draws and not numbers
        if reading in {"prediction_samples", "std"}:
            return draws and numbers
        return reading in {"embedding", "prediction"}

    def proba(self, Z: Any) -> list[Floats]:  # type: ignore[override]
        with read_privately(self.model) as net:
            return self._read_rows(net, Z, self._to_proba, 1)

    def prediction(self, Z: Any) -> list[NDArray[Any]]:  # type: ignore[override]
        if self.estimator_type == "regressor":
            with read_privately(self.model) as net:
                return self._read_rows(net, Z, _to_numbers, 0)
        columns = (proba.argmax(axis=-1) for proba in self.proba(Z))
        return [each if self.classes is None else self.classes[each] for each in columns]

    def proba_samples(  # type: ignore[override]
        self, Z: Any, n_samples: int | None, seed: int
    ) -> list[Floats]:
        return self._draw_rows(Z, n_samples, seed, self._to_proba, 1)

    def iter_draws(self, Z: Any, n_samples: int | None, seed: int) -> Iterator[list[Floats]]:
        return self._iter_drawn_rows(Z, self.n_draws(n_samples), seed, self._to_proba, 1)

    def prediction_samples(  # type: ignore[override]
        self, Z: Any, n_samples: int | None, seed: int
    ) -> list[Floats]:
        return self._draw_rows(Z, n_samples, seed, _to_numbers, 0)

    def std(self, Z: Any, seed: int) -> list[Floats]:  # type: ignore[override]
        return [draws.std(axis=0) for draws in self.prediction_samples(Z, None, seed)]

    def element_features(self, Z: Any) -> list[Floats]:
        return self._read_last_inputs(Z, lambda places: places, aligned=True)

    def features(self, Z: Any) -> Floats:
        """Features of rows, (n_rows, n_dims): those of their elements on average; 0 without any."""
        return np.stack(self._read_last_inputs(Z, _average, aligned=False))

    def _read_rows(
        self, net: NeuralNet, Z: Any, convert: Callable[[NeuralNet, Tensor], Tensor], n_axes: int
    ) -> list[Any]:
        """Return an array for each row, (height, width, ...) or (n_shown, ...).

        `convert` makes values of a net and what it gives; `n_axes` are the axes of one element.
        """
        rows = []
        for batch in _iter_batches(net, Z):
            values = convert(net, batch.output).numpy()  # (n, height, width, ...)
            n_elements = int(np.prod(values.shape[1 : values.ndim - n_axes], dtype=int))
            shown = batch.list_shown(Z, n_elements)
            rows += [_hide(*each, n_axes) for each in _pair_rows(values, shown)]
        return rows

    def _draw_rows(
        self, Z: Any, n_samples: int | None, seed: int, convert: Callable[..., Tensor], n_axes: int
    ) -> list[Floats]:
        """Return an array for each row, (n_draws, ...), by dropout."""
        n_draws, samples = self.n_draws(n_samples), list[Floats]()
        for draw, rows in enumerate(self._iter_drawn_rows(Z, n_draws, seed, convert, n_axes)):
            if not draw:
                samples = [np.empty((n_draws, *row.shape), row.dtype) for row in rows]
            for sample, row in zip(samples, rows, strict=True):
                sample[draw] = row
        return samples

    def _iter_drawn_rows(
        self, Z: Any, n_draws: int, seed: int, convert: Callable[..., Tensor], n_axes: int
    ) -> Iterator[list[Floats]]:
        """Yield an array for each row in each draw, by dropout."""
        net = copy_privately(self.model, seed)
        for draw in range(n_draws):
            with torch.no_grad(), Masks(seed, draw).apply(net.module_):
                rows = self._read_rows(net, Z, convert, n_axes)
            yield rows
            del rows  # while the next draw is made

    def _to_proba(self, net: NeuralNet, output: Tensor) -> Tensor:
        """Return the probabilities of a batch, (n, ..., n_classes)."""
        loss = getattr(net, "criterion_", None)
        loss = getattr(loss, "_orig_mod", loss)  # a compiled one
        if net.predict_nonlinearity == "auto" and isinstance(loss, _BINARY_LOSSES):
            with_logits = isinstance(loss, torch.nn.BCEWithLogitsLoss)
            p = _drop_channel(torch.sigmoid(output) if with_logits else output)
            return torch.stack([1.0 - p, p], dim=-1)
        if output.ndim < 3:
            raise InvalidReadingError(
                f"{type(net).__name__} gives shape {tuple(output.shape)}, one prediction per row, "
                f"but says element = {self.element!r}: remove the attribute, or let the net "
                "return the scores of each class for each element."
            )
        axis = _find_class_axis(net, loss, self.element)
        if net.predict_nonlinearity != "auto":
            output = net._get_predict_nonlinearity()(output)
        elif isinstance(loss, torch.nn.CrossEntropyLoss):
            output = torch.softmax(output, dim=axis)
        proba = output.movedim(axis, -1)
        _check_columns(net, proba.shape[-1], axis)
        return proba

    def _read_last_inputs(
        self, Z: Any, reduce: Callable[[Floats], Floats], *, aligned: bool
    ) -> list[Floats]:
        """Return for each row what `reduce` makes of the last layer's inputs, (n_places, n_dims).

        With `aligned`, there has to be one place for each element.
        """
        rows = []
        with read_privately(self.model) as net, _watch_last_layer(net.module_) as inputs:
            for batch in _iter_batches(net, Z):
                if not inputs:  # no layer with weights: what the net gives stands in
                    inputs.append((False, batch.output))
                places = _flatten_places(*inputs.pop())
                if aligned:
                    self._check_places(net, batch.output, places)
                shown = batch.list_shown(Z, places.shape[1])
                if shown is not None and shown.shape[1] != places.shape[1]:
                    shown = None
                rows += [reduce(_hide(*each, 1)) for each in _pair_rows(places, shown)]
        return rows

    def _check_places(self, net: NeuralNet, output: Tensor, places: Floats) -> None:
        if self.estimator_type == "regressor":
            n_elements = output[0].numel()
        else:
            n_elements = self._to_proba(net, output)[0, ..., 0].numel()
        if places.shape[1] != n_elements:
            raise InvalidReadingError(
                f"The last layer of {type(net).__name__} sees {places.shape[1]} places where the "
                f"net predicts {n_elements} {self.element}s, so it gives no features of each: use "
                "a strategy that reads probabilities, such as Margin or BALD."
            )


# What nets give ---------------------------------------------------------------------------------


class _Batch(NamedTuple):
    """A net's output for some rows, (n, ...), and its second output, None if there is none."""

    output: Tensor
    second: Any
    rows: slice

    def list_shown(self, Z: Any, n_elements: int) -> NDArray[np.bool_] | None:
        """Return which elements are shown, (n, n_elements); None if all of them are."""
        entries = TOKEN_MASKS & Z.keys() if isinstance(Z, Mapping) else frozenset[str]()
        parts = {name: np.asarray(Z[name][self.rows]) for name in entries}
        masks = list_masks(parts, n_elements)
        if getattr(self.second, "dtype", None) == torch.bool:
            masks.append(self.second.flatten(1).numpy())
        return np.logical_and.reduce(masks) if masks else None


def _iter_batches(net: NeuralNet, Z: Any) -> Iterator[_Batch]:
    end = 0
    for batch in net.forward_iter(_drop_masks(net, Z)):
        output, *others = batch if isinstance(batch, list | tuple) else (batch,)
        start, end = end, end + len(output)
        output = output.detach().to(torch.promote_types(output.dtype, torch.float32))
        yield _Batch(output, others[0] if others else None, slice(start, end))


def _drop_masks(net: NeuralNet, Z: Any) -> Any:
    """Leave out the entries of rows that say which tokens count, if the module does not take them.

    A tokenizer's encoding has them, but it is not what the net was fitted to.
    """
    if not isinstance(Z, Mapping):
        return Z
    parameters = signature(net.module_.forward).parameters
    if any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        return Z
    return {name: part for name, part in Z.items() if name in parameters or name not in TOKEN_MASKS}


def _pair_rows(values: NDArray[Any], shown: NDArray[np.bool_] | None) -> Iterator[tuple[Any, Any]]:
    """Yield the values of each row, and which of them are shown, None for all."""
    return zip(values, [None] * len(values) if shown is None else shown, strict=True)


def _hide(values: NDArray[Any], shown: NDArray[np.bool_] | None, n_axes: int) -> NDArray[Any]:
    """Return the values of a row's elements; of those that are shown, if some are not."""
    if shown is None:
        return values
    flat = values.reshape(-1, *values.shape[values.ndim - n_axes :])
    if len(shown) != len(flat):
        raise InvalidReadingError(
            f"The net predicts {len(flat)} elements of a row, but {len(shown)} are marked as "
            "padding or not: the classes may be in another axis, which class_axis of the module "
            "says, or the mask is of other tokens."
        )
    return flat[shown]


def _to_numbers(net: NeuralNet, output: Tensor) -> Tensor:
    """Return the numbers of a batch, (n, ...)."""
    return _drop_channel(net._get_predict_nonlinearity()(output))


def _drop_channel(output: Tensor) -> Tensor:
    """Drop an axis of one channel, (n, 1, height, width) or (n, n_tokens, 1)."""
    if output.ndim > 2 and 1 in (output.shape[1], output.shape[-1]):
        return output.squeeze(1 if output.shape[1] == 1 else -1)
    return output


def _find_class_axis(net: NeuralNet, loss: Any, element: str | None) -> int:
    """Return the axis of the classes in a net's output."""
    stated = getattr(net, "class_axis", getattr(net.module_, "class_axis", None))
    if stated is not None:
        return int(stated)
    is_torch_s = any(type(loss).forward is kind.forward for kind in _CLASS_LOSSES)
    has_own_loss = type(net).get_loss.__module__.partition(".")[0] != "skorch"
    if is_torch_s and not has_own_loss:
        return 1
    return 1 if element == "pixel" else -1


def _check_columns(net: NeuralNet, n_columns: int, axis: int) -> None:
    """Check that there is a column for each label that the net was fitted to."""
    seen = getattr(net, "classes_inferred_", None)
    if seen is None or np.asarray(seen).dtype.kind not in "iu" or not len(seen):
        return
    if int(np.max(seen)) >= n_columns:
        raise InvalidReadingError(
            f"{type(net).__name__} gives {n_columns} columns of probability, but has learned "
            f"labels up to {int(np.max(seen))}: the classes seem not to be in axis {axis} of its "
            "output; say in which by class_axis = ..., an attribute of its module."
        )


# The last layer ---------------------------------------------------------------------------------


@contextmanager
def _watch_last_layer(root: torch.nn.Module) -> Iterator[list[tuple[bool, Tensor]]]:
    """Record the inputs of linear and convolutional layers, and whether each is linear."""
    inputs: list[tuple[bool, Tensor]] = []

    def record(module: torch.nn.Module, args: Any, kwargs: Any) -> None:
        inputs[:] = [(isinstance(module, torch.nn.Linear), get_first_argument(args, kwargs))]

    with ExitStack() as hooks:
        for module in root.modules():
            if isinstance(module, _LAYERS):
                hooks.callback(module.register_forward_pre_hook(record, with_kwargs=True).remove)
        yield inputs


def _flatten_places(is_linear: bool, values: Tensor) -> Floats:
    """Return the input of a layer for each place, (n, n_places, n_dims)."""
    values = values.detach().float().cpu()
    values = values if is_linear else values.movedim(1, -1)
    return values.reshape(len(values), -1, values.shape[-1]).numpy()


def _average(places: Floats) -> Floats:
    return places.sum(axis=0) / max(1, len(places))


@register(NeuralNet)
def adapt_net(net: NeuralNet) -> NetAdapter:
    """Return the adapter of a net, by what the net or its module says that it predicts."""
    element = find_element(net)
    if element is None:
        return NetAdapter(net)
    return BoxNetAdapter(net) if element == "box" else DenseNetAdapter(net, element)
