"""Own random numbers for torch: those of a seed, whatever other threads draw."""

from __future__ import annotations

import pkgutil
import threading

import pytest

pytest.importorskip("torch")

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from skactive.adapters._torch_random import (
    _SILENT_KINDS,
    OwnRandomness,
    _has_other_threads,
    seed_fit,
)

ROWS = torch.linspace(-1.0, 1.0, 128).reshape(16, 8)


def draw_everything():
    """Draw in every way that torch has on the CPU."""
    alpha = nn.AlphaDropout(0.4)(ROWS)
    query = ROWS.reshape(1, 2, 8, 8)
    return [
        torch.rand(3),
        torch.randn(2, 2, dtype=torch.float64),
        torch.randint(0, 9, (5,)),
        torch.randint(9, (5,)),
        torch.randperm(7),
        torch.rand_like(ROWS),
        torch.randn_like(ROWS),
        torch.randint_like(ROWS, 5),
        torch.empty(4).uniform_(),
        torch.empty(4).exponential_(),
        torch.empty((), dtype=torch.int64).random_(),
        torch.bernoulli(torch.full((9,), 0.5)),
        torch.multinomial(torch.ones(5), 3),
        torch.normal(ROWS, 1.0),
        torch.poisson(ROWS.abs()),
        torch.distributions.Gamma(ROWS.abs() + 1, 1.0).sample(),
        torch.distributions.Dirichlet(torch.ones(4)).sample(),
        nn.functional.dropout(ROWS, 0.3),
        nn.functional.feature_alpha_dropout(ROWS, 0.3, True),
        nn.functional.rrelu(ROWS, training=True),
        nn.functional.gumbel_softmax(ROWS),
        nn.functional.scaled_dot_product_attention(query, query, query, dropout_p=0.4),
        nn.init.trunc_normal_(torch.empty(3, 3)),
        nn.Linear(4, 2).weight.detach(),
        alpha,
        *[rows for (rows,) in DataLoader(TensorDataset(ROWS), 4, shuffle=True)],
    ]


@pytest.fixture
def noisy_threads():
    """Other threads draw from the global generator all the time."""
    stop = threading.Event()

    def draw():
        while not stop.is_set():
            torch.rand(3)

    threads = [threading.Thread(target=draw) for _ in range(2)]
    [thread.start() for thread in threads]
    yield
    stop.set()
    [thread.join() for thread in threads]


def draw_after_manual_seed(seed):
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        return draw_everything()


def assert_equal(one, other):
    assert len(one) == len(other)
    assert all(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_own_numbers_are_those_of_manual_seed_and_move_nothing():
    expected, before = draw_after_manual_seed(3), torch.get_rng_state()
    with OwnRandomness(3) as randomness:
        drawn = draw_everything()
    assert_equal(drawn, expected)
    assert randomness.has_drawn
    assert torch.equal(before, torch.get_rng_state())


def test_operations_that_take_no_generator_draw_the_same_too():
    def draw():
        return [torch.rand(3), torch.native_dropout(ROWS, 0.3, True)[0], torch.rand(3)]

    before = torch.get_rng_state()
    with OwnRandomness(3):
        drawn = draw()
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(3)
    assert_equal(drawn, draw())
    torch.set_rng_state(before)


def test_a_generator_that_is_passed_is_used():
    with OwnRandomness(3) as randomness:
        drawn = torch.rand(4, generator=torch.Generator().manual_seed(1))
        (ROWS @ ROWS.T).relu()
    assert torch.equal(drawn, torch.rand(4, generator=torch.Generator().manual_seed(1)))
    assert not randomness.has_drawn


def test_seeded_work_is_the_same_beside_threads_that_draw(request):
    with seed_fit(3, []):
        alone = draw_everything()
    request.getfixturevalue("noisy_threads")
    for _ in range(5):
        with seed_fit(3, []):
            assert_equal(draw_everything(), alone)


def test_threads_of_the_kernel_and_of_bars_are_known_by_their_classes():
    pytest.importorskip("ipykernel", minversion="7")
    pytest.importorskip("tqdm")
    for kind in _SILENT_KINDS:
        cls = pkgutil.resolve_name(kind)
        assert issubclass(cls, threading.Thread)
        assert f"{cls.__module__}.{cls.__qualname__}" == kind


def make_thread(module, kind, name=None):
    return type(kind, (threading.Thread,), {"__module__": module})(name=name)


@pytest.mark.parametrize(
    ("silent", "thread"),
    [
        (True, ("ipykernel.heartbeat", "Heartbeat", "Heartbeat")),
        (True, ("threading", "Thread", "IOPub")),
        (True, ("threading", "Thread", "Thread-2 (_watch_pipe_fd)")),
        (False, ("ipykernel.subshell", "SubshellThread", "subshell-1")),  # runs cells
        (False, ("mine", "Heartbeat", "Heartbeat")),
        (False, ("threading", "Thread", "Thread-2 (train)")),
    ],
)
def test_threads_that_may_draw_are_heeded(monkeypatch, silent, thread):
    threads = [threading.current_thread(), make_thread(*thread)]
    monkeypatch.setattr(threading, "enumerate", lambda: threads)
    assert _has_other_threads() is not silent


def test_the_main_thread_may_draw_while_another_fits():
    seen = []
    thread = threading.Thread(target=lambda: seen.append(_has_other_threads()))
    thread.start()
    thread.join()
    assert seen == [True]


def test_seeded_work_in_several_threads_is_that_of_each_alone():
    expected, drawn = [draw_after_manual_seed(seed) for seed in range(4)], [None] * 4

    def work(seed):
        with seed_fit(seed, []):
            drawn[seed] = draw_everything()

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    for one, other in zip(drawn, expected, strict=True):
        assert_equal(one, other)
