"""The adapter for skorch's nets: readings, the state that they preserve, learners around nets."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from skactive import ActiveLearner
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError, InvalidReadingError, TeachError
from skactive.pool import PoolView
from skactive.strategies import BADGE, BALD, EPIG, KCenterGreedy, Margin

pytest.importorskip("skorch")

import torch
from skorch import NeuralNetBinaryClassifier, NeuralNetClassifier
from torch import nn

DIGITS, LABELS = load_digits(return_X_y=True)
DIGITS = (DIGITS / 16).astype(np.float32)
X, Y = DIGITS[:50], LABELS[:50]  # all ten classes are among them


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Use one thread: small nets gain nothing from more, and wait for them on busy cores."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


def make_net(module, X=X, y=Y, *, fit=True, **params):
    """Return a small net, fitted for three epochs from a fixed seed."""
    defaults = {"criterion": nn.CrossEntropyLoss, "max_epochs": 3, "lr": 0.1, "batch_size": 16}
    net = NeuralNetClassifier(module, train_split=None, verbose=0, **defaults | params)
    if not fit:
        return net
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return net.fit(X, y)


def mlp(*middle, n_inputs=64, n_outputs=10):
    return nn.Sequential(nn.Linear(n_inputs, 24), nn.ReLU(), *middle, nn.Linear(24, n_outputs))


class Mlp(nn.Module):
    def __init__(self, n_outputs=10, p=0.5):
        super().__init__()
        self.hidden, self.drop = nn.Linear(64, 24), nn.Dropout(p)
        self.out = nn.Linear(24, n_outputs)

    def forward(self, X):
        return self.out(self.drop(torch.relu(self.hidden(X))))


class Conv(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.drop = nn.Conv2d(1, 6, 3), nn.Dropout2d(0.5)
        self.norm = nn.BatchNorm2d(6)
        self.out = nn.Linear(6 * 9, 10)

    def body(self, X):
        return torch.max_pool2d(self.drop(torch.relu(self.norm(self.conv(X)))), 2).flatten(1)

    def forward(self, X):
        return self.out(self.body(X))


class Residual(nn.Module):
    """Defined in another order than it runs in; one layer runs twice."""

    def __init__(self):
        super().__init__()
        self.out, self.block = nn.Linear(24, 10), nn.Linear(24, 24)
        self.stem, self.unused = nn.Linear(64, 24), nn.Linear(3, 3)

    def body(self, X):
        h = torch.relu(self.stem(X))
        h = h + torch.relu(self.block(h))
        return h + torch.relu(self.block(h))

    def forward(self, X):
        return self.out(input=self.body(X))


class Fragile(Mlp):
    """A module that raises in training or in prediction, if told to."""

    fail_if_training: bool | None = None

    def forward(self, X):
        out = super().forward(X)
        if self.training is Fragile.fail_if_training:
            raise RuntimeError("told to fail")
        return out


@pytest.fixture
def failing(monkeypatch):
    def switch(training):
        monkeypatch.setattr(Fragile, "fail_if_training", training)

    return switch


def images(rows=X):
    return rows.reshape(-1, 1, 8, 8)


def n_hooks(net):
    return sum(
        len(getattr(module, name))
        for module in net.module_.modules()
        for name in vars(module)
        if "hooks" in name and getattr(module, name)
    )


def state(net):
    """Return all that a reading could change: weights, buffers, modes, global random state."""
    tensors = {name: value.clone() for name, value in net.module_.state_dict().items()}
    modes = [module.training for module in net.module_.modules()] + [net.criterion_.training]
    kind, keys, *rest = np.random.get_state()
    return tensors, modes, torch.get_rng_state(), (kind, keys.tobytes(), *rest)


def assert_same_state(before, after):
    assert before[0].keys() == after[0].keys()
    assert all(torch.equal(before[0][name], after[0][name]) for name in before[0])
    assert before[1] == after[1]
    assert torch.equal(before[2], after[2])
    assert before[3] == after[3]


READINGS = {
    "proba": lambda adapter, Z: adapter.proba(Z),
    "features": lambda adapter, Z: adapter.features(Z),
    "proba_samples": lambda adapter, Z: adapter.proba_samples(Z, 3, 0),
}


# The net's own predictions, and its columns ----------------------------------------------------


@pytest.mark.no_cover
@pytest.mark.parametrize("criterion", [nn.CrossEntropyLoss, nn.NLLLoss])
def test_proba_is_the_net_s(criterion):
    ends = [nn.Softmax(dim=1)] if criterion is nn.NLLLoss else []
    net = make_net(nn.Sequential(mlp(), *ends), criterion=criterion)
    adapter = adapt(net)
    assert type(adapter).__name__ == "NetAdapter"
    assert adapter.fixed_columns
    assert adapter.joint_samples
    np.testing.assert_array_equal(adapter.proba(X), net.predict_proba(X))
    np.testing.assert_allclose(adapter.proba(X).sum(axis=1), 1.0, rtol=1e-5)


def test_a_binary_net_has_two_columns():
    y = (Y > 4).astype(np.float32)
    net = NeuralNetBinaryClassifier(
        mlp(nn.Dropout(0.5), n_outputs=1), train_split=None, verbose=0, max_epochs=3
    )
    learner = ActiveLearner(net, BALD(), random_state=0).fit(X, y)
    view = learner._make_view(X)
    np.testing.assert_array_equal(view.proba, learner.predict_proba(X))
    assert view.proba_samples(4).shape == (4, 50, 2)
    assert len(learner.query(X, 3)) == 3


def test_logits_are_refused_and_the_message_names_the_criterion():
    net = make_net(mlp(), fit=False, criterion=nn.NLLLoss, lr=1e-4)
    torch_state = torch.get_rng_state()
    with pytest.raises(InvalidReadingError, match="CrossEntropyLoss"):
        ActiveLearner(net, Margin(), random_state=0).fit(X, Y)
    assert torch.equal(torch_state, torch.get_rng_state())


@pytest.mark.parametrize(
    ("n_outputs", "labels", "classes"),
    [
        pytest.param(3, [0, 1, 2], np.arange(10), id="fewer outputs than declared"),
        pytest.param(10, [0, 2, 5], None, id="more outputs than labels seen"),
    ],
)
def test_outputs_that_do_not_match_the_classes_are_refused(n_outputs, labels, classes):
    seen = np.isin(LABELS[:200], labels)
    net = make_net(Mlp, fit=False, module__n_outputs=n_outputs)
    learner = ActiveLearner(net, Margin(), classes=classes, random_state=0)
    with pytest.raises(InvalidReadingError, match="classes="):
        learner.fit(DIGITS[:200][seen], LABELS[:200][seen]).query(X)


def test_declared_classes_keep_their_columns():
    seen = np.isin(LABELS[:200], [0, 2, 5])
    net = make_net(Mlp, fit=False, module__n_outputs=10, max_epochs=20)
    learner = ActiveLearner(net, Margin(), classes=np.arange(10), random_state=0)
    learner.fit(DIGITS[:200][seen], LABELS[:200][seen])
    view = learner._make_view(DIGITS[:200][seen])
    np.testing.assert_array_equal(learner.classes_, [0, 2, 5])
    np.testing.assert_array_equal(view.classes, np.arange(10))
    np.testing.assert_array_equal(view.proba, learner.predict_proba(DIGITS[:200][seen]))
    assert np.mean(view.proba.argmax(axis=1) == LABELS[:200][seen]) > 0.9
    assert len(learner.query(X, 5)) == 5


def test_classes_are_those_of_the_net():
    np.testing.assert_array_equal(adapt(make_net(Mlp)).classes, np.arange(10))
    np.testing.assert_array_equal(adapt(make_net(Mlp, fit=False, classes=[0, 1])).classes, [0, 1])
    assert adapt(make_net(Mlp, fit=False)).classes is None


# What a net provides ---------------------------------------------------------------------------


def test_an_unfitted_net_gives_no_draws():
    adapter = adapt(make_net(Mlp, fit=False))
    assert not adapter.provides("proba_samples")
    assert not adapter.provides("joint_samples")


def test_a_fitted_net_provides_what_its_modules_allow():
    dropout, without, never = (make_net(mlp(*m)) for m in ([nn.Dropout()], [], [nn.Dropout(0.0)]))
    for reading in ("proba", "embedding", "gradient_factors"):
        assert adapt(without).provides(reading)
    for reading in ("proba_samples", "joint_samples"):
        assert adapt(dropout).provides(reading)
        assert not adapt(without).provides(reading)
        assert not adapt(never).provides(reading)
    assert not adapt(dropout).provides("decision")


def test_a_net_without_dropout_is_refused_at_the_end_of_fit():
    with pytest.raises(CapabilityError, match="dropout layers"):
        ActiveLearner(make_net(mlp(), fit=False), BALD()).fit(X, Y)


# Penultimate features --------------------------------------------------------------------------


def by_hand(module, Z, *parts):
    """Pass rows through `parts` of a module, in evaluation mode."""
    was, out = module.training, torch.as_tensor(Z)
    module.eval()
    with torch.no_grad():
        for part in parts:
            out = part(out)
    module.train(was)
    return out.numpy()


def check_features(net, Z, expected):
    features = adapt(net).features(Z)
    assert features.dtype == np.float32
    assert features.shape == expected.shape
    np.testing.assert_allclose(features, expected, rtol=1e-5, atol=1e-6)
    assert n_hooks(net) == 0


def test_features_of_an_mlp():
    net = make_net(mlp(nn.Dropout()))
    check_features(net, X, by_hand(net.module_, X, *list(net.module_)[:-1]))


def test_features_of_a_conv_net():
    net = make_net(Conv, images())
    check_features(net, images(), by_hand(net.module_, images(), net.module_.body))


def test_features_of_a_net_with_skips():
    net = make_net(Residual)
    check_features(net, X, by_hand(net.module_, X, net.module_.body))


def test_features_of_a_net_inside_a_sequential():
    net = make_net(nn.Sequential(nn.Flatten(), Reshaped(), nn.Identity()), images())
    inner = net.module_[1]
    check_features(net, images(), by_hand(net.module_, images(), nn.Flatten(), inner.body))


class Reshaped(Conv):
    def body(self, X):
        return super().body(X.reshape(-1, 1, 8, 8))


def test_features_of_a_lone_linear_layer_are_the_rows():
    check_features(make_net(nn.Linear(64, 10)), X, X)


def test_features_of_several_dimensions_are_flattened():
    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(8, 10)

        def forward(self, X):
            return self.out(X.reshape(-1, 8, 8)).mean(dim=1)

    check_features(make_net(Wide), X, X)


def test_features_without_a_linear_layer_are_the_last_layer_s():
    net = make_net(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 10, 6), nn.Flatten()), images()
    )
    hand = by_hand(net.module_, images(), *list(net.module_)[:2])
    check_features(net, images(), hand.reshape(50, -1))


def test_features_without_any_layer_are_the_rows():
    class Bare(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(64, 10))

        def forward(self, X):
            return X @ self.weight

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.idle = Bare(), nn.Linear(2, 2)

        def forward(self, X):
            return X @ self.inner.weight

    assert adapt(make_net(Outer)).features(X) is X


def test_a_last_layer_that_does_not_see_rows_is_refused():
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.out = nn.Linear(8, 10)

        def forward(self, X):
            return self.out(X.reshape(-1, 8)).reshape(len(X), 8, 10).mean(dim=1)

    with pytest.raises(InvalidReadingError, match=r"sees 400 rows .* 50.*embedder="):
        adapt(make_net(Tokens)).features(X)


# Dropout draws ---------------------------------------------------------------------------------


def dropout_nets():
    norm = [nn.BatchNorm1d(24), nn.Dropout(0.3)]
    return {
        "dropout": (mlp(nn.Dropout(0.5)), X),
        "inplace": (
            nn.Sequential(nn.Linear(64, 24), nn.Dropout(0.5, inplace=True), mlp(n_inputs=24)),
            X,
        ),
        "alpha": (mlp(nn.AlphaDropout(0.5)), X),
        "feature alpha": (nn.Sequential(nn.Conv2d(1, 4, 3), nn.FeatureAlphaDropout(), *TAIL), None),
        "batch norm": (mlp(*norm), X),
        "twice": (mlp(nn.Dropout(0.3), nn.Linear(24, 24), nn.ReLU(), nn.Dropout(0.3)), X),
        "conv": (Conv(), None),
        "attention": (Attention(), X),
    }


TAIL = [nn.Flatten(), nn.Linear(4 * 36, 10)]


class Attention(nn.Module):
    def __init__(self, batch_first=True):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.3, batch_first=batch_first)
        self.layer, self.out, self.batch_first = layer, nn.Linear(8, 10), batch_first

    def forward(self, X):
        X = X.reshape(-1, 8, 8)  # eight words of eight numbers
        if not self.batch_first:
            return self.out(self.layer(X.transpose(0, 1)).mean(dim=0))
        return self.out(self.layer(X).mean(dim=1))


def dropout_net(name):
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        module, rows = dropout_nets()[name]
    rows = images() if rows is None else rows
    return make_net(module, rows), rows


@pytest.mark.parametrize("name", dropout_nets())
def test_draws_are_functions_of_the_row(name):
    net, rows = dropout_net(name)
    adapter = adapt(net)
    draws = adapter.proba_samples(rows, 4, seed=1)
    assert draws.shape == (4, 50, 10)
    np.testing.assert_allclose(draws.sum(axis=2), 1.0, rtol=1e-5)
    assert (np.abs(draws - draws[[1, 2, 3, 0]]).max(axis=(1, 2)) > 1e-3).all()
    np.testing.assert_array_equal(draws, adapter.proba_samples(rows, 4, seed=1))
    np.testing.assert_array_equal(draws[:2], adapter.proba_samples(rows, 2, seed=1))
    assert np.abs(draws - adapter.proba_samples(rows, 4, seed=2)).max() > 1e-3

    some = np.random.RandomState(0).permutation(50)[:21]
    close = {"rtol": 1e-4, "atol": 1e-6}
    np.testing.assert_allclose(draws[:, some], adapter.proba_samples(rows[some], 4, 1), **close)
    one = adapter.proba_samples(rows[7:8], 4, 1)
    np.testing.assert_allclose(draws[:, 7:8], one, **close)
    net.set_params(batch_size=7)
    np.testing.assert_allclose(draws, adapter.proba_samples(rows, 4, seed=1), **close)
    assert n_hooks(net) == 0


def test_the_number_of_draws_is_twenty_unless_told():
    net, _ = dropout_net("dropout")
    assert adapt(net).n_draws(None) == 20
    assert adapt(net).proba_samples(X, None, 0).shape == (20, 50, 10)


def seen_by(layer, net, rows, n_draws, seed=0):
    """Record the input of `layer` in each draw, (n_draws, n_rows, ...)."""
    seen = []
    hook = layer.register_forward_pre_hook(lambda _, args: seen.append(args[0].clone().numpy()))
    net.set_params(batch_size=len(rows))
    adapt(net).proba_samples(rows, n_draws, seed)
    hook.remove()
    return np.stack(seen)


@pytest.mark.parametrize("inplace", [False, True])
def test_dropout_masks_keep_their_rate_and_are_independent(inplace):
    net = make_net(nn.Sequential(nn.Identity(), nn.Dropout(0.25, inplace), nn.Linear(64, 10)))
    rows = np.ones((3, 64), dtype=np.float32)
    masks = seen_by(net.module_[2], net, rows, 200)
    assert (masks == masks[:, :1]).all()  # one mask for all rows
    np.testing.assert_allclose(np.unique(masks), [0.0, 1 / 0.75], rtol=1e-6)
    flat = masks[:, 0]  # (n_draws, 64): 12,800 values, so a standard error of 0.005
    assert abs(flat.mean() - 1.0) < 0.03
    # No two elements and no two draws are correlated (200 and 64 values each).
    assert np.abs(np.corrcoef(flat.T) - np.eye(64)).max() < 0.4
    assert np.abs(np.corrcoef(flat) - np.eye(200)).max() < 0.75
    assert (rows == 1.0).all()


def test_dropout_modules_and_calls_have_masks_of_their_own():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second, self.out = nn.Dropout(), nn.Dropout(), nn.Linear(192, 10)

        def forward(self, X):
            return self.out(torch.cat([self.first(X), self.first(X), self.second(input=X)], dim=1))

    net = make_net(Twice)
    masks = seen_by(net.module_.out, net, np.ones((2, 64), np.float32), 1)[0, 0].reshape(3, 64)
    for one, other in ([0, 1], [0, 2], [1, 2]):
        assert 16 < (masks[one] != masks[other]).sum() < 48


def test_masks_follow_the_width_of_a_batch():
    class Trimmed(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.out = nn.Dropout(), nn.Linear(64, 10)

        def forward(self, X):
            width = int(X.any(dim=0).nonzero().max()) + 1
            return self.out(nn.functional.pad(self.drop(X[:, :width]), (0, 64 - width)))

    rows = np.ones((32, 64), dtype=np.float32)
    rows[:16, 30:] = 0.0
    net = make_net(Trimmed, rows, Y[:32])
    draws = adapt(net).proba_samples(rows, 3, 0)
    for batch in (slice(0, 16), slice(16, 32)):
        np.testing.assert_allclose(
            draws[:, batch], adapt(net).proba_samples(rows[batch], 3, 0), rtol=1e-5
        )


def test_only_masks_are_drawn_in_training_mode_and_from_a_generator_of_their_own():
    class Watched(Mlp):
        def forward(self, X):
            before = torch.get_rng_state()
            hidden = self.drop(torch.relu(self.norm(self.hidden(X))))
            if not self.training:
                assert torch.equal(before, torch.get_rng_state())
                assert not any(module.training for module in self.modules())
            return self.out(hidden)

        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(24)

    draws = adapt(make_net(Watched)).proba_samples(X, 3, 0)
    assert np.abs(draws[0] - draws[1]).max() > 1e-3


def test_inplace_dropout_whose_result_is_not_used_drops_too():
    class Discards(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.out = nn.Dropout(0.5, inplace=True), nn.Linear(64, 10)

        def forward(self, X):
            X = X + 0.0
            self.drop(X)
            return self.out(X)

    net = make_net(Discards)
    rows = np.ones((3, 64), dtype=np.float32)
    assert set(np.unique(seen_by(net.module_.out, net, rows, 2))) == {0.0, 2.0}


def test_dropout_that_is_not_in_place_leaves_its_input_to_others():
    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.drop, self.out = nn.AlphaDropout(0.5, inplace=True), nn.Linear(128, 10)

        def forward(self, X):  # AlphaDropout pays no heed to inplace
            return self.out(torch.cat([self.drop(X), X], dim=1))

    net = make_net(Skip)
    seen = seen_by(net.module_.out, net, X, 2)
    np.testing.assert_array_equal(seen[0, :, 64:], X)
    assert (seen[0, :, :64] != X).any()


def test_dropout2d_drops_whole_channels():
    net = make_net(
        nn.Sequential(nn.Conv2d(1, 12, 3), nn.Dropout2d(0.5), nn.Flatten(1), nn.Linear(432, 10)),
        images(),
    )
    seen = seen_by(net.module_[2], net, images(), 20).reshape(20, 50, 12, 36)
    dropped = (seen == 0.0).all(axis=(1, 3))  # (n_draws, n_channels)
    np.testing.assert_array_equal(dropped, (seen == 0.0).any(axis=(1, 3)))
    assert 0.35 < dropped.mean() < 0.65


def test_alpha_dropout_is_torch_s_with_the_same_mask():
    net = make_net(nn.Sequential(nn.Identity(), nn.AlphaDropout(0.4), nn.Linear(64, 10)))
    rows = np.random.RandomState(0).normal(size=(400, 64)).astype(np.float32)
    seen = seen_by(net.module_[2], net, rows, 20)
    # Where it drops, all rows have the same value; elsewhere it is an increasing affine map.
    dropped = np.ptp(seen, axis=1) == 0.0
    assert abs(dropped.mean() - 0.4) < 0.05
    assert len(np.unique(seen[:, 0][dropped].round(5))) == 1
    kept = np.polyfit(rows[:, 0], seen[np.argmin(dropped[:, 0]), :, 0], deg=1, full=True)
    assert kept[0][0] > 0.5
    assert kept[1][0] < 1e-6  # residual
    # Alpha dropout preserves mean and variance.
    assert abs(seen.mean()) < 0.1
    assert abs(seen.std() - 1.0) < 0.1


def test_batch_norm_stays_in_evaluation_mode():
    net = make_net(mlp(nn.BatchNorm1d(24), nn.Dropout(1e-12)))
    draws = adapt(net).proba_samples(X, 3, 0)
    np.testing.assert_allclose(draws, net.predict_proba(X)[np.newaxis].repeat(3, 0), rtol=1e-5)


def test_dropout_that_always_drops_is_drawn_once_for_all_rows():
    class Always(nn.Dropout):
        def forward(self, X):
            return nn.functional.dropout(X, self.p, training=True)

    net = make_net(mlp(Always(0.5)))
    draws = adapt(net).proba_samples(X, 4, 0)
    np.testing.assert_allclose(draws[:, 5:9], adapt(net).proba_samples(X[5:9], 4, 0), rtol=1e-4)


def test_dropout_over_another_axis_than_rows_is_refused():
    with pytest.raises(InvalidReadingError, match="batch_first=True"):
        adapt(make_net(Attention(batch_first=False))).proba_samples(X, 2, 0)


@pytest.mark.no_cover
def test_compiled_nets_are_read_too():
    net = make_net(mlp(nn.Dropout(0.5)))
    net.module_ = torch.compile(net.module_, backend="eager")
    net.predict_proba(X)  # compiles it, without hooks
    draws = adapt(net).proba_samples(X, 3, 0)
    assert np.abs(draws[0] - draws[1]).max() > 1e-3
    assert adapt(net).features(X).shape == (50, 24)


# Dropout modules that are left out ---------------------------------------------------------------


class Parts(nn.Module):
    """An encoder and a head with dropout; all draws of the encoder drop everything."""

    def __init__(self):
        super().__init__()
        self.encoder = mlp(nn.Dropout(1.0), n_outputs=24)
        self.head = nn.Sequential(nn.Dropout(0.5), nn.Linear(24, 10))

    def forward(self, X):
        return self.head(self.encoder(X))


class FixedEncoder(Parts):
    fixed_dropout = ("encoder.*",)


def wrap_in_parallel(module):
    return nn.DataParallel(module)


def compile_eagerly(module):
    return torch.compile(module, backend="eager")


def as_it_is(module):
    return module


@pytest.mark.parametrize("wrap", [as_it_is, nn.Sequential, wrap_in_parallel, compile_eagerly])
def test_dropout_modules_are_left_out_by_name(wrap):
    draws = []
    for module in (Parts(), FixedEncoder()):
        net = make_net(module, max_epochs=0)
        net.module_ = wrap(net.module_)
        draws.append(adapt(net).proba_samples(X, 3, 0))
    # Without the encoder's rows, all predictions of a draw are the same.
    assert np.ptp(draws[0], axis=1).max() == 0.0
    assert np.ptp(draws[1], axis=1).min() > 0.0
    assert (np.abs(draws[1] - draws[1][[1, 2, 0]]).max(axis=(1, 2)) > 1e-3).all()


def test_dropout_is_left_out_of_an_instance_and_of_its_clones():
    module = Parts()
    module.fixed_dropout = "encoder.?"  # one pattern
    learner = ActiveLearner(make_net(module, fit=False), BALD(), random_state=0).fit(X, Y)
    draws = learner._make_view(X).proba_samples(3)
    assert np.ptp(draws, axis=1).min() > 0.0


def test_a_net_whose_dropout_is_all_left_out_gives_no_draws():
    module = Parts()
    module.fixed_dropout = ("*",)
    assert not adapt(make_net(module)).provides("proba_samples")


@pytest.mark.parametrize(
    ("patterns", "message"),
    [
        (
            ("encodr.*",),
            r"'encodr\.\*' in fixed_dropout of Parts .* none.*encoder\.2, head\.0",
        ),
        (("encoder",), "matches none"),
        (("encoder.0",), "matches none"),
        (3, "must be a tuple of patterns.*got 3"),
        ((3,), "must be a tuple of patterns"),
    ],
)
def test_patterns_that_leave_nothing_out_are_refused(patterns, message):
    module = Parts()
    module.fixed_dropout = patterns
    with pytest.raises(InvalidReadingError, match=message):
        ActiveLearner(make_net(module, fit=False), BALD()).fit(X, Y)
    ActiveLearner(make_net(module, fit=False), Margin()).fit(X, Y).query(X)


# State that readings preserve ------------------------------------------------------------------


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("mode", [True, False, None])
def test_readings_change_nothing(reading, mode):
    net = make_net(mlp(nn.BatchNorm1d(24), nn.Dropout(0.3)))
    if mode is None:  # some in training, some not
        net.module_.eval()[3].train()
    else:
        net.module_.train(mode)
    before, rows = state(net), X.copy()
    READINGS[reading](adapt(net), X)
    assert_same_state(before, state(net))
    np.testing.assert_array_equal(X, rows)
    assert n_hooks(net) == 0


@pytest.mark.parametrize("reading", READINGS)
def test_readings_leave_a_net_that_pickles_copies_and_trains(reading):
    net = make_net(Conv, images())
    expected = net.predict_proba(images())
    READINGS[reading](adapt(net), images())
    for twin in (pickle.loads(pickle.dumps(net)), copy.deepcopy(net)):
        np.testing.assert_array_equal(twin.predict_proba(images()), expected)
    net.partial_fit(images(), Y)
    assert all(weight.grad is not None for weight in net.module_.parameters())


@pytest.mark.parametrize("reading", READINGS)
def test_a_reading_that_fails_leaves_nothing_behind(reading, failing):
    net = make_net(Fragile)
    net.module_.train()
    before = state(net)
    failing(False)
    with pytest.raises(RuntimeError, match="told to fail"):
        READINGS[reading](adapt(net), X)
    failing(None)
    assert n_hooks(net) == 0
    assert_same_state(before, state(net))
    twin = pickle.loads(pickle.dumps(net))
    np.testing.assert_array_equal(twin.predict_proba(X), copy.deepcopy(net).predict_proba(X))


# Learners around nets --------------------------------------------------------------------------


def in_pipeline(net):
    return make_pipeline(StandardScaler(), FunctionTransformer(np.float32), net)


@pytest.mark.parametrize("wrap", [lambda net: net, in_pipeline], ids=["bare", "pipeline"])
def test_bare_and_at_the_end_of_a_pipeline(wrap):
    X_wide = X if wrap is not in_pipeline else X.astype(np.float64)
    learner = ActiveLearner(wrap(make_net(Mlp, fit=False)), Margin(), random_state=0)
    learner.fit(X_wide[:30], Y[:30])
    assert len(set(learner.query(X_wide[30:], 5))) == 5
    view = learner._make_view(X_wide)
    assert isinstance(view, PoolView)
    steps = [] if wrap is not in_pipeline else learner.estimator_[:-1]
    net = learner.estimator_ if wrap is not in_pipeline else learner.estimator_[-1]
    Z = steps.transform(X_wide) if len(steps) else X_wide
    hidden = by_hand(net.module_, Z, net.module_.hidden, torch.relu)
    np.testing.assert_allclose(view.embedding, hidden, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(view.proba, learner.predict_proba(X_wide))
    residual, factor = view.gradient_factors
    np.testing.assert_allclose(factor, hidden, rtol=1e-5, atol=1e-6)
    assert residual.shape == (50, 10)
    np.testing.assert_array_equal(view.labeled.y, Y[:30])


@pytest.mark.parametrize("strategy", [BALD(), EPIG(), BADGE()])
def test_draws_and_features_serve_strategies(strategy):
    learner = ActiveLearner(make_net(Mlp, fit=False), strategy, random_state=0).fit(X, Y)
    pool = DIGITS[50:150]
    picked = learner.query(pool, 5)
    assert len(set(picked)) == 5
    np.testing.assert_array_equal(picked, learner.query(pool, 5))


@pytest.mark.parametrize("container", [np.asarray, torch.as_tensor])
def test_images_through_the_whole_loop(container):
    learner = ActiveLearner(
        make_net(Conv, fit=False), Margin(), classes=np.arange(10), random_state=0
    )
    rows = container(images(DIGITS[:120]))
    learner.fit(rows[:50], LABELS[:50])
    pool = np.arange(50, 120)
    picked = pool[learner.query(rows[pool], 8)]
    learner.teach(rows[picked], LABELS[picked])
    assert type(learner.X_labeled_) is type(rows)
    assert tuple(learner.X_labeled_.shape) == (58, 1, 8, 8)
    assert learner.predict(rows).shape == (120,)
    assert learner._make_view(rows).embedding.shape == (120, 54)


def test_a_cold_start_asks_nothing_of_the_net():
    learner = ActiveLearner(make_net(Mlp, fit=False), KCenterGreedy(), random_state=0)
    assert len(set(learner.query(X, 5))) == 5
    with pytest.raises(NotFittedError, match="KCenterGreedy"):
        ActiveLearner(make_net(Mlp, fit=False), Margin()).query(X)


def test_queries_leave_net_and_global_random_state_alone():
    learner = ActiveLearner(make_net(Mlp, fit=False), BALD(), random_state=0).fit(X, Y)
    before = state(learner.estimator_)
    learner.query(DIGITS[50:100], 3)
    assert_same_state(before, state(learner.estimator_))


def test_a_seed_makes_fits_repeatable_and_leaves_the_global_state_alone():
    before = torch.get_rng_state()
    net = make_net(Mlp, fit=False)
    one, two, other = (ActiveLearner(net, Margin(), random_state=s).fit(X, Y) for s in (0, 0, 1))
    np.testing.assert_array_equal(one.predict_proba(X), two.predict_proba(X))
    assert np.abs(one.predict_proba(X) - other.predict_proba(X)).max() > 1e-3
    # Prediction is the net's own, whose DataLoader draws; the fits drew nothing.
    torch.set_rng_state(before)
    ActiveLearner(net, Margin(), random_state=0).fit(X, Y)
    assert torch.equal(before, torch.get_rng_state())


def test_without_a_seed_torch_s_global_seed_rules():
    net = make_net(Mlp, fit=False)

    def fit_and_read(seed):
        torch.manual_seed(seed)
        return ActiveLearner(net, Margin()).fit(X, Y).estimator_.module_.out.weight.detach()

    assert torch.equal(fit_and_read(3), fit_and_read(3))
    assert not torch.equal(fit_and_read(3), fit_and_read(4))
    torch.manual_seed(3)
    expected = clone(net).fit(X, Y).module_.out.weight.detach()
    assert torch.equal(fit_and_read(3), expected)


def test_the_global_state_is_put_back_where_a_fit_fails():
    before = torch.get_rng_state()

    def fail():
        with adapt(make_net(Mlp, fit=False)).fitting(0):
            torch.rand(3)
            raise RuntimeError("told to fail")

    with pytest.raises(RuntimeError, match="told to fail"):
        fail()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("module", [Mlp, Mlp()], ids=["class", "instance"])
def test_refits_start_from_pristine_weights(module):
    net = make_net(module, fit=False)
    taught = ActiveLearner(net, Margin(), random_state=0).fit(X[:30], Y[:30])
    taught.teach(X[30:], Y[30:])
    fresh = ActiveLearner(net, Margin(), random_state=0).fit(X, Y)
    np.testing.assert_array_equal(taught.predict_proba(X), fresh.predict_proba(X))


def test_partial_fit_goes_on_and_loses_no_classes():
    learner = ActiveLearner(
        make_net(Mlp, fit=False), Margin(), incremental=True, classes=np.arange(10), random_state=0
    )
    learner.fit(X, Y)
    before = learner.estimator_
    weights = before.module_.out.weight.detach().clone()
    lesson = np.flatnonzero(Y < 3)
    learner.teach(X[lesson], Y[lesson])
    np.testing.assert_array_equal(learner.estimator_.classes_, [0, 1, 2])  # skorch's own way
    assert torch.equal(before.module_.out.weight, weights)  # taught on a copy
    expected = copy.deepcopy(before)
    with adapt(expected).fitting(learner.seed_):
        expected.partial_fit(X[lesson], Y[lesson])
    view = learner._make_view(X)
    np.testing.assert_array_equal(view.classes, np.arange(10))
    np.testing.assert_array_equal(view.proba, expected.predict_proba(X))
    assert len(learner.query(X, 4)) == 4


def test_partial_fit_without_declared_classes_knows_those_of_all_lessons():
    learner = ActiveLearner(make_net(Mlp, fit=False), Margin(), incremental=True, random_state=0)
    learner.fit(X, Y).teach(X[Y < 3], Y[Y < 3])
    view = learner._make_view(X)
    np.testing.assert_array_equal(view.classes, np.arange(10))
    np.testing.assert_array_equal(view.proba, learner.predict_proba(X))


@pytest.mark.parametrize("incremental", [False, True])
def test_a_failing_refit_leaves_the_learner_as_it_was(incremental, failing):
    learner = ActiveLearner(
        make_net(Fragile, fit=False), Margin(), incremental=incremental, random_state=0
    )
    learner.fit(X[:40], Y[:40])
    before, random_state = learner.predict_proba(X), torch.get_rng_state()
    failing(True)
    with pytest.raises(TeachError, match=r"told to fail.*40 labeled rows"):
        learner.teach(X[40:], Y[40:])
    failing(None)
    assert torch.equal(random_state, torch.get_rng_state())
    np.testing.assert_array_equal(learner.predict_proba(X), before)
    assert len(learner.y_labeled_) == 40
    learner.teach(X[40:], Y[40:])
    assert len(learner.y_labeled_) == 50
