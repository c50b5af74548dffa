"""Adapter for skorch's nets; torch is imported by it, the modules beside it and the demo only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import partial, wraps
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from skorch import NeuralNet, NeuralNetBinaryClassifier
from skorch.utils import to_numpy
from torch.utils.data import DataLoader

from skactive._utils.array_types import Floats
from skactive._utils.predictions import flatten_numbers
from skactive.adapters._base import ModelAdapter, register
from skactive.adapters._torch_copies import copy_modules
from skactive.adapters._torch_masks import Masks, get_first_argument, list_dropouts
from skactive.adapters._torch_random import OwnRandomness, seed_fit
from skactive.exceptions import InvalidReadingError

__all__ = ["NetAdapter", "copy_privately", "read_privately"]

Module = torch.nn.Module

_BINARY_CRITERIA = (torch.nn.BCELoss, torch.nn.BCEWithLogitsLoss)


class NetAdapter(ModelAdapter):
    """A net: probabilities, the input of its last linear layer, and dropout draws.

    No reading changes the net or the global random state, or shows in another thread: each works
    on a private copy of the net, which shares its weights. Modules of the copy are in evaluation
    mode, except for a dropout module while its mask is drawn.

    Notes
    -----
    Draws come from dropout modules only: not from ``torch.nn.functional.dropout``, nor from the
    ``dropout=`` of recurrent and attention layers. Dropout modules are left out of the draws if
    their names match a pattern in the attribute ``fixed_dropout`` of the user's module, such as
    ``fixed_dropout = ("encoder.*",)``; the names are those of its ``named_modules``.

    An attribute of a module that cannot be copied, such as a lock, is shared with the copy. A
    module that draws random numbers in evaluation mode gets the same ones in every reading, from
    a generator of its own.
    """

    fixed_columns = True
    codes_only = True
    joint_samples = True

    def provides(self, reading: str) -> bool:
        if reading == "proba_samples":
            return self.provides("proba") and self._has_dropout()
        if reading == "prediction_samples":
            return self.estimator_type == "regressor" and self._has_dropout()
        return super().provides(reading)

    @property
    def label_classes(self) -> list[NDArray[Any]] | None:
        n_labels = self._count_labels()
        return [np.arange(2)] * n_labels if n_labels > 1 else None

    def _count_labels(self) -> int:
        """Count the output units of a net with binary cross-entropy: one for each label."""
        criterion = getattr(self.model, "criterion_", None)  # none if the net is not initialized
        if not isinstance(criterion, _BINARY_CRITERIA):
            return 0
        layers = self.model.module_.modules()
        sizes = [each.out_features for each in layers if isinstance(each, torch.nn.Linear)]
        return sizes[-1] if sizes else 0

    def _has_dropout(self) -> bool:
        module = getattr(self.model, "module_", None)  # none if the net is not initialized
        return isinstance(module, Module) and bool(list_dropouts(module))

    def proba(self, Z: Any) -> Floats:
        with read_privately(self.model) as net:
            return self._predict_proba(net, Z)

    def _predict_proba(self, net: NeuralNet, Z: Any) -> Floats:
        """Predict probabilities; of several labels (n_rows, n_labels), which skorch cannot."""
        if self.label_classes is None or net.predict_nonlinearity != "auto":
            return net.predict_proba(Z)
        output = net.forward(Z)
        output = output[0] if isinstance(output, tuple) else output
        gives_logits = isinstance(net.criterion_, torch.nn.BCEWithLogitsLoss)
        return to_numpy(torch.sigmoid(output) if gives_logits else output)

    def prediction(self, Z: Any) -> NDArray[Any]:
        with read_privately(self.model) as net:
            predicted = net.predict(Z)
        return flatten_numbers(predicted) if self.estimator_type == "regressor" else predicted

    def features(self, Z: Any) -> NDArray[np.float32] | Any:
        last = _LastInput()
        features: NDArray[np.float32] | None = None
        n_rows, end = len(self.model.get_dataset(Z)), 0
        with read_privately(self.model) as net, last.watch(net.module_):
            for _ in net.forward_iter(Z):
                batch = last.take()
                if batch is None:
                    # No layer with weights ran: the rows themselves are the features.
                    return super().features(Z)
                start, end = end, end + len(batch)
                if features is None:
                    features = np.empty((n_rows, batch.shape[1]), dtype=np.float32)
                # Counts on after n_rows (a layer that sees parts of rows), for the message below.
                if end <= n_rows:
                    features[start:end] = batch
        if end != n_rows:
            raise InvalidReadingError(
                f"The last layer of {type(net).__name__} sees {end} rows where the net is given "
                f"{n_rows}, so they are not features of the rows. For strategies that compare "
                "embeddings, pass embedder= to the learner; those that use gradients (BADGE, BAIT, "
                "MaxDet) need a net whose last layer sees each row once."
            )
        return features

    def proba_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self._draw_outputs(n_samples, seed, lambda net: self._predict_proba(net, Z))

    def prediction_samples(self, Z: Any, n_samples: int | None, seed: int) -> Floats:
        return self._draw_outputs(n_samples, seed, lambda net: flatten_numbers(net.predict(Z)))

    def _draw_outputs(
        self, n_samples: int | None, seed: int, read: Callable[[NeuralNet], Any]
    ) -> Floats:
        """Read a net with each of several dropout masks."""
        n_draws = self.n_draws(n_samples)
        samples: Any = None  # (n_draws, n_rows, ...), allocated with the first draw
        with read_privately(self.model, seed) as net:
            for draw in range(n_draws):
                with Masks(seed, draw).apply(net.module_):
                    output = read(net)
                if samples is None:
                    samples = np.empty((n_draws, *output.shape), dtype=output.dtype)
                samples[draw] = output
        return samples

    def fitting(self, seed: int | None) -> AbstractContextManager[None]:
        return nullcontext() if seed is None else seed_fit(seed, self._cuda_devices())

    def _cuda_devices(self) -> list[torch.device]:
        """Return the CUDA devices that the net is on, or will be once it is fitted."""
        modules = _get_modules(self.model).values()
        devices = {weight.device for part in modules for weight in part.parameters()}
        if self.model.device is not None:
            devices.add(torch.device(self.model.device))
        return [device for device in devices if device.type == "cuda"]


@register(NeuralNetBinaryClassifier)
class BinaryNetAdapter(NetAdapter):
    """A net of one output unit, whose loss takes the labels 0.0 and 1.0."""

    code_type = np.float32


def _get_modules(net: NeuralNet) -> dict[str, Module]:
    """Return the net's modules and criteria, including instances that were passed to it."""
    return {name: part for name, part in dict(vars(net)).items() if isinstance(part, Module)}


@contextmanager
def read_privately(net: NeuralNet, seed: int = 0) -> Iterator[NeuralNet]:
    """Give a private copy of a net, for one reading; what its modules draw depends on `seed`."""
    # Not inference mode: training could not use what a module caches in its forward.
    with torch.no_grad():
        yield copy_privately(net, seed)


def copy_privately(net: NeuralNet, seed: int = 0) -> NeuralNet:
    """Return a private copy of a net; what its modules draw depends on `seed`."""
    modules, randomness = copy_modules(_get_modules(net)), OwnRandomness(seed)
    for module in modules.values():
        if not isinstance(module, torch.jit.ScriptModule):
            module.forward = _draw_from(randomness, module.forward)
    private = object.__new__(type(net))
    # Not by setattr, which would make parameters of the net of new attributes.
    vars(private).update({**vars(net), **modules})
    vars(private)["get_iterator"] = partial(_get_seeded_iterator, private.get_iterator)
    return private


def _draw_from(randomness: OwnRandomness, forward: Callable[..., Any]) -> Callable[..., Any]:
    """Let a forward draw from own generators, for as long as its calls draw at all."""
    may_draw = True

    @wraps(forward)
    def call(*args: Any, **kwargs: Any) -> Any:
        nonlocal may_draw
        if not may_draw:
            return forward(*args, **kwargs)
        with randomness:
            result = forward(*args, **kwargs)
        may_draw = randomness.has_drawn
        return result

    return call


def _get_seeded_iterator(get_iterator: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return a net's batches; a DataLoader would draw a number from the global generator."""
    iterator = get_iterator(*args, **kwargs)
    if isinstance(iterator, DataLoader) and iterator.generator is None:
        iterator.generator = torch.Generator()
    return iterator


class _LastInput:
    """Records the input of the last executed linear layer, or else of the last with weights."""

    def __init__(self) -> None:
        self.inputs: dict[bool, torch.Tensor] = {}  # key: whether the layer is linear

    @contextmanager
    def watch(self, root: Module) -> Iterator[None]:
        with ExitStack() as hooks:
            for module in root.modules():
                # A leaf with weights stands in if no linear layer runs.
                leaf = not any(module.children()) and any(True for _ in module.parameters())
                if leaf or isinstance(module, torch.nn.Linear):
                    handle = module.register_forward_pre_hook(self._record_input, with_kwargs=True)
                    hooks.callback(handle.remove)
            yield

    def _record_input(self, module: Module, args: Any, kwargs: Any) -> None:
        self.inputs[isinstance(module, torch.nn.Linear)] = get_first_argument(args, kwargs)

    def take(self) -> NDArray[np.float32] | None:
        """Return the input of this batch, shape (n_rows, n_dims), and forget it."""
        batch = self.inputs.get(True, self.inputs.get(False))
        self.inputs.clear()
        if batch is None:
            return None
        return batch.detach().reshape(len(batch), -1).float().cpu().numpy()
