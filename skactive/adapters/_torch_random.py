"""Random numbers for torch that other threads neither see nor move."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["OwnRandomness", "seed_fit"]

# Held while torch's global generators hold a state of ours.
_GLOBAL_STATE = threading.RLock()

# Threads that never draw: of progress bars, and of a Jupyter kernel, except those that run cells.
_SILENT_KINDS = frozenset(
    {
        "IPython.core.history.HistorySavingThread",
        "ipykernel.control.ControlThread",
        "ipykernel.heartbeat.Heartbeat",
        "ipykernel.parentpoller.ParentPollerUnix",
        "ipykernel.parentpoller.ParentPollerWindows",
        "ipykernel.shellchannel.ShellChannelThread",
        "tqdm._monitor.TMonitor",
        "zmq.utils.garbage.GarbageCollectorThread",
    }
)
_SILENT_NAMES = ("IOPub", "(_watch_pipe_fd)", "Tornado selector")  # of plain threads


class OwnRandomness(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """A context in which the operations of this thread draw from seeded generators of their own.

    They draw the numbers that they would draw after ``torch.manual_seed(seed)``, but torch's
    global generators, which all threads share, stay as they are.

    Parameters
    ----------
    seed : int
        The seed.

    Attributes
    ----------
    has_drawn : bool
        Whether an operation has drawn numbers in the context.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.seed = seed
        self.has_drawn = False
        self.generators: dict[torch.device, torch.Generator] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded not in func.tags or kwargs.get("generator"):
            return func(*args, **kwargs)
        self.has_drawn = True
        generator = self._get_generator(_find_device(args, kwargs))
        if _takes_generator(func):
            return func(*args, **kwargs, generator=generator)
        if _takes_generator(func.overloadpacket):  # as another overload
            return func.overloadpacket(*args, **kwargs, generator=generator)
        with _lend_state(generator):
            return func(*args, **kwargs)

    def _get_generator(self, device: torch.device) -> torch.Generator:
        if device not in self.generators:
            self.generators[device] = torch.Generator(device).manual_seed(self.seed)
        return self.generators[device]


def _find_device(args: Iterable[Any], kwargs: dict[str, Any]) -> torch.device:
    """Return the device that an operation draws on: that of its result, or of its first tensor."""
    device = kwargs.get("device")
    if device is None:
        device = next((x.device for x in args if isinstance(x, torch.Tensor)), "cpu")
    device = torch.device(device)
    if device.type == "cuda" and device.index is None:
        return torch.device("cuda", torch.cuda.current_device())
    return device


@cache
def _takes_generator(func: Any) -> bool:
    """Return whether an operation, or one of the overloads in a packet, takes a generator."""
    if isinstance(func, torch._ops.OpOverloadPacket):
        return any(_takes_generator(getattr(func, name)) for name in func.overloads())  # type: ignore[no-untyped-call]
    return any(argument.name == "generator" for argument in func._schema.arguments)


@contextmanager
def _lend_state(generator: torch.Generator) -> Iterator[None]:
    """Lend a state to the global generator, for an operation that draws from no other."""
    device = generator.device
    lender = torch.default_generator
    if device.type == "cuda":
        lender = torch.cuda.default_generators[device.index]
    with _GLOBAL_STATE:
        before = lender.get_state()
        lender.set_state(generator.get_state())
        try:
            yield
        finally:
            generator.set_state(lender.get_state())
            lender.set_state(before)


def _has_other_threads() -> bool:
    """Return whether there are other threads that may draw."""
    me = threading.current_thread()
    return any(each is not me and not _is_silent(each) for each in threading.enumerate())


def _is_silent(thread: threading.Thread) -> bool:
    kind = type(thread)
    known = f"{kind.__module__}.{kind.__qualname__}" in _SILENT_KINDS
    return known or thread.name.endswith(_SILENT_NAMES)


@contextmanager
def seed_fit(seed: int, devices: list[torch.device]) -> Iterator[None]:
    """Seed all that is drawn in the context, by this thread.

    Parameters
    ----------
    seed : int
        The seed.
    devices : list of torch.device
        The CUDA devices that may be drawn on.
    """
    if _has_other_threads():
        # Takes 10 us per operation, so only beside threads that may draw.
        with OwnRandomness(seed):
            yield
        return
    with _GLOBAL_STATE, torch.random.fork_rng(devices):
        # torch.manual_seed would also seed devices that are not forked or not started.
        torch.default_generator.manual_seed(seed)
        for device in devices:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(seed)
        yield
