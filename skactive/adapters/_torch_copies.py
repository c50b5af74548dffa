"""Private copies of torch modules: structure of their own, weights shared."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterable, Iterator
from copy import deepcopy
from functools import partial
from typing import Any

import torch

__all__ = ["copy_modules"]

Module = torch.nn.Module
# What deepcopy returns as it is.
ATOMIC = (type(None), bool, int, float, str, torch.dtype, torch.device, type)

# Attributes of any module, most of them empty.
OWN_NAMES = frozenset(vars(Module()))


def copy_modules(parts: dict[str, Module]) -> dict[str, Module]:
    """Copy modules without their weights, so that nothing done to a copy shows in the originals.

    Hooks, modes, buffers and Python attributes are copied; parameters are the same objects, so
    tied weights stay tied. Compiled modules become the modules that they were compiled from.
    Modules are not copied by ``deepcopy``, which fails for all if one attribute cannot be copied
    (a lock): such an attribute is shared. Intermediate results are copied without their history.

    Parameters
    ----------
    parts : dict of str to Module
        The modules; what they share, their copies share too.

    Returns
    -------
    dict of str to Module
    """
    memo: dict[int, Any] = {}
    copied: list[tuple[Module, Module]] = []
    for module in _walk(parts.values()):
        if isinstance(module, torch.jit.ScriptModule):  # lives in C++, with its children
            memo[id(module)] = _copy_value(module, memo)
        elif not hasattr(module, "_orig_mod"):
            # Neither __init__ nor a class's own way to pickle is needed for the same attributes.
            memo[id(module)] = object.__new__(type(module))
            copied.append((module, memo[id(module)]))
        memo |= {id(weight): weight for weight in module.parameters(recurse=False)}
    for module in _walk(parts.values()):
        if hasattr(module, "_orig_mod"):
            memo[id(module)] = memo[id(_unwrap(module))]
    for module, copy in copied:
        _fill(copy, module, memo)
    return {name: memo[id(module)] for name, module in parts.items()}


def _walk(parts: Iterable[Module]) -> Iterator[Module]:
    """Yield each module and its descendants once, but not what is inside scripted modules."""
    seen, waiting = set(), list(parts)
    while waiting:
        module = waiting.pop()
        if id(module) in seen:
            continue
        seen.add(id(module))
        yield module
        if not isinstance(module, torch.jit.ScriptModule):
            waiting.extend(child for child in dict(module._modules).values() if child is not None)


def _unwrap(module: Module) -> Module:
    """Return the module that was compiled, however often."""
    while hasattr(module, "_orig_mod"):
        module = module._orig_mod  # type: ignore[assignment]
    return module


def _fill(copy: Module, module: Module, memo: dict[int, Any]) -> None:
    """Give a copy the attributes of a module."""
    # dict() takes a snapshot in one step, also if another thread runs the module.
    for name, value in dict(vars(module)).items():
        if name == "_parameters" or (name in OWN_NAMES and value in ({}, set())):
            value = value.copy()
        elif name == "_modules":
            value = type(value)((key, memo.get(id(part))) for key, part in value.copy().items())
        elif name == "_compiled_call_impl":
            value = None
        elif "_hooks" in name and isinstance(value, dict):
            value = type(value)((key, _copy_hook(hook, memo)) for key, hook in value.copy().items())
        elif not isinstance(value, ATOMIC):
            value = _copy_value(value, memo)
        copy.__dict__[name] = value


def _copy_hook(hook: Any, memo: dict[int, Any]) -> Any:
    """Return a hook that works on copies; what it records stays where it recorded before."""
    if isinstance(hook, partial):
        args = (memo.get(id(arg), arg) for arg in hook.args)
        keywords = {name: memo.get(id(arg), arg) for name, arg in hook.keywords.items()}
        return partial(_copy_hook(hook.func, memo), *args, **keywords)
    is_method_of_copied = id(getattr(hook, "__self__", None)) in memo
    return _copy_value(hook, memo) if is_method_of_copied else memo.get(id(hook), hook)


def _copy_value(value: Any, memo: dict[int, Any]) -> Any:
    """Copy an attribute; what cannot be copied in it is shared."""
    trial = ChainMap({}, memo)  # a copy that fails leaves half of itself here
    try:
        copied = deepcopy(value, trial)  # type: ignore[arg-type]
    except Exception:  # whatever its own copying raises: a lock, a tensor with a gradient
        return _copy_items(value, memo)
    memo.update(trial.maps[0])
    return copied


def _copy_items(value: Any, memo: dict[int, Any]) -> Any:
    """Copy the items of a plain container one by one; anything else is shared."""
    if isinstance(value, dict):
        copied = value.copy()
        copied.update({key: _copy_value(item, memo) for key, item in copied.items()})
        return copied
    if type(value) in (list, tuple, set):
        return type(value)(_copy_value(item, memo) for item in list(value))
    if type(value) is torch.Tensor:  # an intermediate result, which deepcopy refuses
        return value.detach().clone()
    return value
