"""Nets that predict each pixel or token of a row, or boxes in it, against plain torch."""

from collections import UserDict

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skactive import ActiveLearner, scores
from skactive.adapters import adapt
from skactive.exceptions import CapabilityError, InvalidReadingError
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import BALD, Aggregate, KCenterGreedy, Margin
from skactive.testing._adapter_checks import ADAPTER_CHECKS

pytest.importorskip("skorch")

import torch
from skorch import NeuralNet, NeuralNetClassifier, NeuralNetRegressor
from torch import nn

RNG = np.random.RandomState(0)
IMAGES = RNG.normal(size=(5, 2, 4, 5)).astype(np.float32)
IDS = RNG.randint(5, 20, size=(6, 8))
LENGTHS = np.array([8, 3, 0, 1, 5, 8])
SENTENCES = {"ids": IDS, "lengths": LENGTHS}


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


class Segmenter(nn.Module):
    element = "pixel"

    def __init__(self, n_outputs=3, p=0.5, end=None):
        super().__init__()
        self.conv, self.drop = nn.Conv2d(2, 6, 3, padding=1), nn.Dropout(p)
        self.out, self.end = nn.Conv2d(6, n_outputs, 1), end or nn.Identity()

    def body(self, X):
        return self.drop(torch.relu(self.conv(X)))

    def forward(self, X):
        return self.end(self.out(self.body(X)))


class Tagger(nn.Module):
    element = "token"

    def __init__(self, n_classes=3):
        super().__init__()
        self.embed, self.drop = nn.Embedding(20, 6), nn.Dropout(0.5)
        self.out = nn.Linear(6, n_classes)

    def forward(self, ids, **others):
        return self.out(self.drop(self.embed(ids)))  # (n, n_tokens, n_classes)


class OwnLoss(NeuralNetClassifier):
    """Gives torch's loss the classes in axis 1, as everyone does who tags."""

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred.transpose(1, 2), y_true, *args, **kwargs)


def make_net(module, kind=NeuralNetClassifier, criterion=nn.CrossEntropyLoss, **params):
    """Return a net with weights of a fixed seed."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return kind(module, criterion=criterion, batch_size=3, **params).initialize()


def run(net, *args, **kwargs):
    """Return what the net's module gives."""
    with torch.no_grad():
        module = net.module_.eval()
        inputs = [torch.as_tensor(each) for each in args]
        return module(*inputs, **{name: torch.as_tensor(each) for name, each in kwargs.items()})


def make_pool(net, X):
    return PoolView(X, ReadingSource(adapter=adapt(net)))


def to_pixels(maps):
    """Return maps, (n, n_classes, height, width), pixel by pixel."""
    n, n_classes, height, width = maps.shape
    rows = [(i, j, k) for i in range(n) for j in range(height) for k in range(width)]
    return np.array([[maps[i, c, j, k] for c in range(n_classes)] for i, j, k in rows])


# Pixels -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("criterion", "end", "nonlinearity"),
    [
        (nn.CrossEntropyLoss, None, "auto"),
        (nn.NLLLoss, nn.Softmax(dim=1), "auto"),
        (nn.MSELoss, nn.Softmax(dim=1), None),
        (nn.CrossEntropyLoss, None, nn.Softmax(dim=1)),
    ],
    ids=["logits", "probabilities", "another loss", "a function of the user's"],
)
def test_pixels_have_the_probabilities_of_their_classes(criterion, end, nonlinearity):
    module = Segmenter(end=end)
    net = make_net(module, criterion=criterion, predict_nonlinearity=nonlinearity)
    maps = run(net, IMAGES)
    expected = to_pixels((maps if end else torch.softmax(maps, dim=1)).numpy())
    elements = make_pool(net, IMAGES).elements
    np.testing.assert_allclose(elements.proba, expected, rtol=1e-5, atol=1e-6)
    assert np.diff(elements.offsets).tolist() == [20] * 5
    assert elements.shapes == [(4, 5)] * 5
    np.testing.assert_array_equal(elements.prediction, expected.argmax(axis=1))
    found = Aggregate(Margin()).score(make_pool(net, IMAGES))
    margins = scores.margin(expected).reshape(5, 20).mean(axis=1)
    np.testing.assert_allclose(found, margins, rtol=1e-4)


def test_one_channel_of_a_binary_loss_is_two_classes():
    net = make_net(Segmenter(n_outputs=1), kind=NeuralNet, criterion=nn.BCEWithLogitsLoss)
    p = torch.sigmoid(run(net, IMAGES)).numpy().ravel()
    expected = np.column_stack([1 - p, p])
    np.testing.assert_allclose(
        make_pool(net, IMAGES).elements.proba, expected, rtol=1e-5, atol=1e-6
    )


def test_a_last_layer_gives_the_features_of_pixels_and_their_mean_is_the_row_s():
    net = make_net(Segmenter())
    pool = make_pool(net, IMAGES)
    weight = net.module_.out.weight.detach().numpy()[:, :, 0, 0]
    logits = pool.elements.embedding @ weight.T + net.module_.out.bias.detach().numpy()
    np.testing.assert_allclose(logits, to_pixels(run(net, IMAGES).numpy()), atol=1e-5)
    residual, features = pool.elements.gradient_factors
    assert features is pool.elements.embedding
    assert residual.shape == (100, 3)
    expected = pool.elements.embedding.reshape(5, 20, 6).mean(axis=1)
    np.testing.assert_allclose(pool.embedding, expected, rtol=1e-5, atol=1e-6)
    assert len(set(KCenterGreedy().select(pool, 3))) == 3


def test_a_layer_of_coarser_places_gives_rows_features_but_pixels_none():
    class Coarse(Segmenter):
        def forward(self, X):
            coarse = self.out(torch.max_pool2d(self.body(X), 2))
            return nn.functional.interpolate(coarse, X.shape[2:])

    pool = make_pool(make_net(Coarse), IMAGES)
    assert pool.embedding.shape == (5, 6)
    with pytest.raises(InvalidReadingError, match=r"sees 4 places where .* 20 pixels"):
        _ = pool.elements.embedding


def test_draws_are_masks_of_whole_maps():
    net = make_net(Segmenter)
    pool = make_pool(net, IMAGES)
    draws = pool.elements.proba_samples(6)  # (n_draws, n_pixels, n_classes)
    assert draws.shape == (6, 100, 3)
    assert len(np.unique(draws[:, :, 0].sum(axis=1))) == 6
    expected = scores.mutual_information(pool.elements.proba_samples()).reshape(5, 20).mean(axis=1)
    np.testing.assert_allclose(Aggregate(BALD()).score(pool), expected, rtol=1e-6)
    constant = make_net(Segmenter(p=0.0))
    assert not adapt(constant).provides("elements.proba_samples")
    rare = make_net(Segmenter(p=1e-9))
    pool = make_pool(rare, IMAGES)
    whole = np.broadcast_to(pool.elements.proba, (4, 100, 3))
    np.testing.assert_allclose(pool.elements.proba_samples(4), whole, rtol=1e-5, atol=1e-6)


def test_draws_one_by_one_are_those_at_once_and_leave_gradients_as_they_were():
    pool = make_pool(make_net(Segmenter), IMAGES)
    draws = pool.elements.iter_draws(4)
    first = next(draws)
    assert torch.is_grad_enabled()
    with torch.no_grad():
        one_by_one = [first, *draws]
        assert not torch.is_grad_enabled()
    assert torch.is_grad_enabled()
    np.testing.assert_allclose(one_by_one, pool.elements.proba_samples(4), atol=1e-6)


def test_maps_of_numbers_have_deviations_by_dropout():
    net = make_net(Segmenter(n_outputs=1), kind=NeuralNetRegressor, criterion=nn.MSELoss)
    elements = make_pool(net, IMAGES).elements
    np.testing.assert_allclose(elements.prediction, run(net, IMAGES).numpy().ravel(), atol=1e-6)
    draws = elements.prediction_samples()
    assert draws.shape == (20, 100)
    np.testing.assert_allclose(elements.std, draws.std(axis=0), rtol=1e-5, atol=1e-6)
    assert not elements.provides("proba")


def test_images_of_other_sizes_have_other_numbers_of_pixels():
    adapter = adapt(make_net(Segmenter))
    sizes = [adapter.proba(IMAGES[:1, :, :height])[0].shape for height in (2, 4)]
    assert sizes == [(2, 5, 3), (4, 5, 3)]


# Tokens -----------------------------------------------------------------------------------------


def test_classes_are_where_the_loss_wants_them_or_where_the_module_says():
    class ChannelsFirst(Tagger):
        def forward(self, ids, **others):
            return super().forward(ids).transpose(1, 2)

    class Stated(ChannelsFirst):
        class_axis = 1

    expected = torch.softmax(run(make_net(Tagger), IDS), -1).numpy().reshape(-1, 3)
    pools = [
        make_pool(make_net(ChannelsFirst), {"ids": IDS}),
        make_pool(make_net(Tagger, kind=OwnLoss), {"ids": IDS}),
        make_pool(make_net(Stated, kind=OwnLoss), {"ids": IDS}),
    ]
    for pool in pools:
        np.testing.assert_allclose(pool.elements.proba, expected, rtol=1e-5, atol=1e-6)


def count_first_pieces(words):
    return [
        [j for j, w in enumerate(row) if w >= 0 and (j == 0 or w != row[j - 1])] for row in words
    ]


WORDS = np.array([[-1, 0, 0, 1, 2, 2, 2, -1], [0, 1, 2, 3, 4, 5, 6, 7], [-1] * 8])


@pytest.mark.parametrize(
    ("entries", "shown"),
    [
        ({}, [list(range(8))] * 3),
        ({"lengths": np.array([2, 0, 8])}, [[0, 1], [], list(range(8))]),
        ({"attention_mask": np.eye(3, 8, dtype=int)}, [[0], [1], [2]]),
        ({"special_tokens_mask": 1 - np.eye(3, 8, dtype=int)}, [[0], [1], [2]]),
        ({"word_ids": WORDS}, count_first_pieces(WORDS)),
        ({"word_ids": WORDS, "lengths": np.array([2, 3, 4])}, [[1], [0, 1, 2], []]),
    ],
    ids=["none", "lengths", "attention", "special", "words", "two"],
)
def test_padding_is_hidden(entries, shown):
    net = make_net(Tagger, kind=OwnLoss)
    X = {"ids": IDS[:3], **entries}
    proba = torch.softmax(run(net, IDS[:3]), -1).numpy()
    elements = make_pool(net, X).elements
    assert np.diff(elements.offsets).tolist() == [len(row) for row in shown]
    expected = [proba[i, j] for i, row in enumerate(shown) for j in row]
    np.testing.assert_allclose(elements.proba, np.reshape(expected, (-1, 3)), rtol=1e-5, atol=1e-6)
    features = net.module_.embed(torch.as_tensor(IDS[:3])).detach().numpy()
    means = [features[i, row].mean(axis=0) if row else np.zeros(6) for i, row in enumerate(shown)]
    np.testing.assert_allclose(make_pool(net, X).embedding, means, rtol=1e-5, atol=1e-6)


def test_a_second_output_of_truth_values_hides_elements():
    class Masked(Tagger):
        def forward(self, ids, **others):
            return super().forward(ids), ids > 10

    elements = make_pool(make_net(Masked, kind=OwnLoss), {"ids": IDS}).elements
    assert np.diff(elements.offsets).tolist() == (IDS > 10).sum(axis=1).tolist()


class Encoding(UserDict):
    """An encoding as a fast tokenizer of Hugging Face returns it."""

    is_fast = True

    def word_ids(self, row):
        words = WORDS[int(self.texts[row])].tolist()
        return [None if word < 0 else word for word in words]


def encode(texts):
    """Return the encoding of texts, which are numbers of rows."""
    encoding = Encoding(input_ids=IDS[[int(text) for text in texts]])
    encoding.texts = texts
    return encoding


class Strict(Tagger):
    """Takes what the tokenizer gives, and nothing else."""

    def forward(self, input_ids):
        return super().forward(input_ids)


def test_the_words_of_a_tokenizer_in_a_pipeline_are_the_elements():
    pipeline = make_pipeline(FunctionTransformer(encode), make_net(Strict, kind=OwnLoss))
    elements = make_pool(pipeline, ["0", "1", "2"]).elements
    counts = [len(row) for row in count_first_pieces(WORDS)]
    assert np.diff(elements.offsets).tolist() == counts


# Boxes ------------------------------------------------------------------------------------------


class Detector(nn.Module):
    """Finds as many boxes as the sign of the first pixels says, as torchvision's detectors do."""

    element = "box"

    def __init__(self, key="scores"):
        super().__init__()
        self.key, self.weight = key, nn.Parameter(torch.ones(1))  # an optimizer wants one

    def forward(self, X):
        rows = []
        for image in X:
            n_boxes = int((image[0, 0] > 0).sum())
            found = torch.sigmoid(image.flatten()[:n_boxes])
            proba = torch.stack([found / 2, found / 2, 1 - found], dim=1)
            rows.append(
                {
                    "boxes": image.flatten()[: 4 * n_boxes].reshape(n_boxes, 4).cumsum(1),
                    "labels": torch.arange(n_boxes),
                    self.key: proba if self.key == "proba" else found,
                }
            )
        return rows


DARK = np.concatenate([IMAGES, -np.abs(IMAGES[:1])])  # no box in the last


@pytest.mark.parametrize("key", ["scores", "proba"])
def test_boxes_are_elements(key):
    net = make_net(Detector(key), kind=NeuralNet, criterion=nn.MSELoss)
    elements = make_pool(net, DARK).elements
    found = run(net, DARK)
    assert np.diff(elements.offsets).tolist() == [len(row["boxes"]) for row in found]
    assert np.diff(elements.offsets)[-1] == 0
    np.testing.assert_array_equal(elements.boxes, np.concatenate([r["boxes"] for r in found]))
    np.testing.assert_array_equal(elements.prediction, np.concatenate([r["labels"] for r in found]))
    proba = np.concatenate([row[key] for row in found])
    expected = proba if key == "proba" else np.column_stack([1 - proba, proba])
    np.testing.assert_allclose(elements.proba, expected, rtol=1e-6)
    assert not elements.provides("proba_samples")


@pytest.mark.parametrize(
    ("module", "read", "message"),
    [
        (
            Detector("logits"),
            "proba",
            r"'scores' or 'proba' .* got \['boxes', 'labels', 'logits'\]",
        ),
        (Segmenter(), "boxes", "must be a dict with 'boxes'; got Tensor"),
    ],
)
def test_outputs_that_are_no_boxes_are_refused(module, read, message):
    module.element = "box"
    net = make_net(module, kind=NeuralNet, criterion=nn.MSELoss)
    with pytest.raises(InvalidReadingError, match=message):
        getattr(make_pool(net, IMAGES).elements, read)


# Errors and advice ------------------------------------------------------------------------------


def test_an_unknown_kind_of_element_is_refused():
    class Wrong(Segmenter):
        element = "superpixel"

    with pytest.raises(InvalidReadingError, match="'box', 'pixel', 'token', got 'superpixel'"):
        adapt(make_net(Wrong))


def test_classes_in_another_axis_are_noticed_by_the_labels():
    class Stated(Segmenter):
        class_axis = 3

    net = make_net(Stated(n_outputs=6))
    net.classes_inferred_ = np.arange(6)
    with pytest.raises(InvalidReadingError, match=r"gives 5 columns .* labels up to 5.*class_axis"):
        _ = make_pool(net, IMAGES).elements.proba


def test_a_mask_of_other_tokens_is_refused():
    X = {"ids": IDS, "attention_mask": np.ones((6, 9), dtype=int)}
    with pytest.raises(InvalidReadingError, match="8 elements of a row, but 9 are marked"):
        _ = make_pool(make_net(Tagger, kind=OwnLoss), X).elements.proba


def test_one_prediction_per_row_is_no_map():
    module = nn.Sequential(nn.Flatten(), nn.Linear(40, 3))
    module.element = "pixel"
    with pytest.raises(InvalidReadingError, match=r"shape \(1, 3\).*remove the attribute"):
        _ = make_pool(make_net(module), IMAGES).elements.proba


def test_a_net_that_does_not_say_what_it_predicts_is_told_how():
    class Silent(Segmenter):
        element = None

    with pytest.raises(CapabilityError, match='say so, element = "pixel"'):
        ActiveLearner(make_net(Silent), Aggregate(Margin()), prefit=True).fit(
            IMAGES[:3], np.arange(3)
        )
    with pytest.raises(InvalidReadingError, match='say so, element = "pixel"'):
        _ = make_pool(make_net(Silent), IMAGES).proba


# Learners ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("strategy", [Aggregate(Margin()), Aggregate(BALD()), KCenterGreedy()])
def test_maps_through_the_whole_loop(strategy):
    images = np.random.RandomState(1).normal(size=(12, 2, 4, 5)).astype(np.float32)
    maps = (images[:, 0] > 0).astype(np.int64) + (images[:, 1] > 1)  # (n, height, width)
    params = {"max_epochs": 1, "train_split": None, "verbose": 0}
    net = make_net(Segmenter, **params)
    learner = ActiveLearner(net, strategy, random_state=0).fit(images[:4], maps[:4])
    chosen = 4 + learner.query(images[4:], 2)
    learner.teach(images[chosen], maps[chosen])
    assert len(set(learner.query(images[4:], 3))) == 3
    rows, pixels = learner.query_elements(images[4:], 6)
    assert len(set(zip(rows.tolist(), pixels.tolist(), strict=True))) == 6
    if isinstance(strategy, Aggregate) and isinstance(strategy.strategy, Margin):
        logits = run(learner.estimator_, images[4:])
        margins = scores.margin(to_pixels(torch.softmax(logits, dim=1).numpy()))
        best = np.sort(margins)[::-1][:6]
        np.testing.assert_allclose(margins[20 * rows + pixels], best, rtol=1e-4)


# The checks of adapters -------------------------------------------------------------------------

NETS = {
    "pixels": lambda: (make_net(Segmenter), IMAGES),
    "numbers": lambda: (
        make_net(Segmenter(n_outputs=1), kind=NeuralNetRegressor, criterion=nn.MSELoss),
        IMAGES,
    ),
    "tokens": lambda: (make_net(Tagger, kind=OwnLoss), SENTENCES),
    "boxes": lambda: (make_net(Detector, kind=NeuralNet, criterion=nn.MSELoss), DARK),
    "rows": lambda: (
        make_net(nn.Sequential(nn.Flatten(), nn.Linear(40, 4), nn.Dropout(), nn.Linear(4, 3))),
        IMAGES,
    ),
}


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NETS)
def test_nets_pass_the_checks_of_adapters(name, check):
    check(*NETS[name]())
