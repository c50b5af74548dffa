"""A token classifier of Hugging Face in a net of skorch: words are the elements of texts."""

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skactive import scores
from skactive.adapters import adapt
from skactive.pool import PoolView
from skactive.pool._view import ReadingSource
from skactive.strategies import BALD, Aggregate, Margin
from skactive.testing._adapter_checks import ADAPTER_CHECKS

pytest.importorskip("transformers")
pytest.importorskip("skorch")

import tokenizers
import torch
import transformers
from skorch import NeuralNetClassifier
from skorch.hf import HuggingfacePretrainedTokenizer

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
WORDS = ["Ada", "lives", "in", "Rome", "Bob", "the"]
PIECES = [*SPECIAL, *WORDS, "program", "##mer", "##s", "play", "##ing"]
TEXTS = ["Ada lives in Rome", "", "Bob", "the programmer programs", "playing in Rome", "in Rome"]
WIDTH = 10


class Tagger(torch.nn.Module):
    """A small transformer with random weights."""

    element = "token"

    def __init__(self):
        super().__init__()
        config = transformers.BertConfig(
            vocab_size=len(PIECES), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
            intermediate_size=16, num_labels=3
        )  # fmt: skip
        self.bert = transformers.BertForTokenClassification(config)

    def forward(self, input_ids, attention_mask, token_type_ids=None):
        return self.bert(input_ids, attention_mask=attention_mask).logits


class TokenNet(NeuralNetClassifier):
    """A net whose loss leaves out the pieces that are labeled -100, as torch's does by default."""

    def get_loss(self, y_pred, y_true, *args, **kwargs):
        return super().get_loss(y_pred.transpose(1, 2), y_true, *args, **kwargs)


@pytest.fixture(scope="module")
def tokenizer():
    pieces = {piece: number for number, piece in enumerate(PIECES)}
    core = tokenizers.Tokenizer(tokenizers.models.WordPiece(vocab=pieces, unk_token="[UNK]"))
    core.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    core.post_processor = tokenizers.processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    names = {f"{name.lower()}_token": f"[{name}]" for name in ("PAD", "UNK", "CLS", "SEP")}
    return transformers.PreTrainedTokenizerFast(tokenizer_object=core, **names)


@pytest.fixture(scope="module")
def pipeline(tokenizer):
    """Return a pipeline that is fitted to labels of the first piece of each word."""
    encode = HuggingfacePretrainedTokenizer(tokenizer, max_length=WIDTH)
    net = TokenNet(
        Tagger, criterion=torch.nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    )
    y = np.full((len(TEXTS), WIDTH), -100)
    for row, text in enumerate(TEXTS):
        y[row, find_first_pieces(text)] = np.arange(len(text.split())) % 3
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        return make_pipeline(encode, net).fit(TEXTS, y)


def find_first_pieces(text):
    """Return the positions of the words' first pieces behind [CLS]."""
    split = {"programmer": 2, "programs": 2, "playing": 2}
    sizes = [split.get(word, 1) for word in text.split()]
    return [1 + sum(sizes[:i]) for i in range(len(sizes))]


def make_pool(pipeline):
    return PoolView(TEXTS, ReadingSource(adapter=adapt(pipeline)))


def test_words_have_the_probabilities_of_their_first_pieces(pipeline, tokenizer):
    elements = make_pool(pipeline).elements
    assert np.diff(elements.offsets).tolist() == [len(text.split()) for text in TEXTS]
    encoding = tokenizer(TEXTS, padding="max_length", max_length=WIDTH, return_tensors="pt")
    with torch.no_grad():
        bert = pipeline[-1].module_.bert.eval()
        logits = bert(encoding["input_ids"], attention_mask=encoding["attention_mask"]).logits
    proba = torch.softmax(logits, dim=-1).numpy()
    first = [(row, place) for row, text in enumerate(TEXTS) for place in find_first_pieces(text)]
    expected = np.array([proba[row, place] for row, place in first])
    np.testing.assert_allclose(elements.proba, expected, rtol=1e-4)
    margins = scores.margin(expected)
    means = [margins[elements.owner == row].mean() if text else 0 for row, text in enumerate(TEXTS)]
    found = Aggregate(Margin()).score(make_pool(pipeline))
    np.testing.assert_allclose(found, means, rtol=1e-4)


def test_dropout_gives_the_information_of_words(pipeline):
    found = Aggregate(BALD()).score(make_pool(pipeline))
    assert (found[[0, 2, 3, 4, 5]] > 0).all()
    assert found[1] == 0


@pytest.mark.parametrize("check", ADAPTER_CHECKS, ids=lambda check: check.__name__)
def test_token_classifiers_pass_the_checks_of_adapters(pipeline, check):
    check(pipeline, TEXTS)
