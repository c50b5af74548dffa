"""Private copies of torch modules: what they share with the originals, and what they do not."""

from __future__ import annotations

import threading
from functools import partial

import pytest

pytest.importorskip("torch")

import torch
from torch import nn

from skactive.adapters._torch_copies import copy_modules

ROWS = torch.linspace(-1.0, 1.0, 24).reshape(3, 8)


def copy_module(module):
    return copy_modules({"module_": module})["module_"]


class Stateful(nn.Module):
    """Writes to all that a forward can write to, and holds what cannot be copied."""

    def __init__(self):
        super().__init__()
        self.layer, self.drop = nn.Linear(8, 8), nn.Dropout(0.5)
        self.register_buffer("steps", torch.zeros(()))
        self.plain, self.calls, self.seen = torch.zeros(8), 0, []
        self.cache, self.lock = {"lock": threading.Lock(), "rows": []}, threading.Lock()
        self.hidden = self.layer(ROWS)  # has a gradient, so deepcopy refuses it
        self.helpers = [self.drop]  # not registered a second time
        self.apply_layer = partial(nn.Module.__call__, self.layer)

    def forward(self, X):
        with self.lock:
            self.steps += 1
            self.plain += 1
            self.calls += 1
            self.seen.append(len(X))
            self.cache["rows"].append(len(X))
            self.late = X
        return self.helpers[0](self.apply_layer(X))


def test_nothing_that_a_forward_writes_reaches_the_original():
    module = nn.Sequential(Stateful(), nn.Linear(8, 2)).eval()
    expected = module[1](module[0].layer(ROWS))
    copy = copy_module(module)
    copy.train()
    copy(ROWS)
    assert copy[0].calls == 1
    assert not any(part.training for part in module.modules())
    assert (module[0].steps, module[0].plain.sum(), module[0].calls) == (0, 0, 0)
    assert module[0].seen == module[0].cache["rows"] == []
    assert not hasattr(module[0], "late")
    assert copy[0].lock is module[0].lock
    torch.testing.assert_close(copy.eval()(ROWS), expected, rtol=0, atol=0)


def test_weights_are_shared_and_stay_tied():
    module = nn.Sequential(nn.Linear(8, 8), nn.LSTM(8, 8), nn.Linear(8, 8))
    module[2].weight = module[0].weight
    copies = copy_modules({"module_": module, "module": module, "part": module[2]})
    copy = copies["module_"]
    assert copy is copies["module"]
    assert copy[2] is copies["part"]
    originals = list(module.parameters())
    assert all(one is other for one, other in zip(copy.parameters(), originals, strict=True))
    pairs = zip(copy[1]._flat_weights, module[1]._flat_weights, strict=True)
    assert all(one is other for one, other in pairs)
    with torch.no_grad():
        module[0].weight.zero_()
    assert copy[2].weight.sum() == 0.0


def weight_norm():
    return nn.utils.weight_norm(nn.Linear(8, 2))


def parametrized():
    return nn.utils.parametrizations.weight_norm(nn.Linear(8, 2))


def scripted():
    return torch.jit.script(nn.Sequential(nn.Linear(8, 2), nn.Dropout(0.5)))


def traced():
    return torch.fx.symbolic_trace(nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 2)))


def compiled():
    return torch.compile(nn.Linear(8, 2), backend="eager")


def compiled_in_place():
    module = nn.Linear(8, 2)
    module.compile(backend="eager")
    return module


@pytest.mark.filterwarnings("ignore")  # weight_norm and script are deprecated
@pytest.mark.parametrize(
    "make",
    [weight_norm, parametrized, scripted, traced, compiled, compiled_in_place],
    ids=lambda make: make.__name__,
)
@pytest.mark.parametrize("wrap", [nn.Sequential, nn.DataParallel])
def test_modules_of_all_kinds_compute_the_same(make, wrap):
    module = wrap(make()).eval()
    with torch.no_grad():
        expected = module(ROWS)
        copy = copy_module(module)
        copy.train()
        assert not module.training
        torch.testing.assert_close(copy.eval()(ROWS), expected, rtol=0, atol=0)
    assert not any(hasattr(part, "_orig_mod") for part in copy.modules())


def test_hooks_work_on_the_copy_and_record_where_they_did():
    seen = []

    class Hooked(nn.Linear):
        def __init__(self):
            super().__init__(8, 2)
            self.n_calls = 0
            self.register_forward_pre_hook(Hooked.count)
            self.register_forward_hook(self.count_too)

        def count(self, args):
            self.n_calls += 1

        def count_too(self, module, args, output):
            assert self is module
            self.n_calls += 1

    module = Hooked()
    module.register_forward_hook(lambda *args: seen.append(args))
    module.register_forward_hook(partial(lambda owner, *args: setattr(owner, "n_calls", 7), module))
    copy = copy_module(module)
    copy(ROWS)
    assert (len(seen), copy.n_calls, module.n_calls) == (1, 7, 0)
    copy.register_forward_hook(lambda *args: seen.append(args))
    assert len(module._forward_hooks) == 3
