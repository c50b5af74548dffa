"""Tagging, translation and speech: score rows by their tokens, or by hypotheses of their output."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from skactive import scores
from skactive._utils.array_types import Floats, Positions
from skactive._utils.constraints import NONNEGATIVE_REAL
from skactive.scores._generation import Measure, find_measure
from skactive.strategies._base import Selector
from skactive.strategies._structured import ElementReduction

if TYPE_CHECKING:
    from skactive.pool import ElementView

__all__ = [
    "MNLP",
    "HypothesisConfidence",
    "HypothesisEntropy",
    "HypothesisMargin",
    "SampleDisagreement",
]


class MNLP(ElementReduction):
    r"""Choose sequences whose most probable tags are improbable, whatever their length.

    .. math:: u(x) = -\frac1n \sum_{i=1}^{n} \log \max_y p(y \mid x_i)

    minus the maximum normalized log-probability.

    **When:** the first thing to try for tagging and named entities: without the division by the
    number of tokens, long sentences come first. Of a model that gives the probability of the best
    tags together (a conditional random field), use :class:`HypothesisConfidence`. The total and the
    mean entropy of tokens are ``Aggregate(Entropy(), reductions.total)`` and ``reductions.mean``.
    Needs probabilities of tokens.

    Parameters
    ----------
    empty : float, default=0.0
        Score of rows without tokens.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Shen, Yun, Lipton, Kronrod and Anandkumar, "Deep active learning for named entity recognition",
    ICLR 2018, :doi:`10.48550/arXiv.1707.05928`.

    Examples
    --------
    >>> from skactive.strategies import MNLP
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(elements={"proba": [[[0.9, 0.1]] * 9, [[0.6, 0.4], [0.8, 0.2]]]})
    >>> MNLP().select(pool, 1)
    array([1])
    """

    needs = frozenset({"elements.proba"})

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows by minus the mean logarithm of the largest probability, shape (n_rows,)."""
        return scores.mnlp(elements.proba, offsets)


class HypothesisConfidence(ElementReduction):
    r"""Choose rows whose best hypothesis is improbable for its length.

    .. math:: u(x) = -\max_h \frac{1}{n_h^\alpha} \log p(h \mid x)

    with :math:`n_h` the number of tokens of hypothesis h.

    **When:** translation, speech, captions, and taggers that decode the whole sentence; the model
    gives the log-likelihoods of one hypothesis or more, as beam search does. Needs the
    log-likelihoods and the lengths of hypotheses.

    Parameters
    ----------
    alpha : float, default=1.0
        The power of the length: 0 does not normalize, so that long outputs come first.
    empty : float, default=0.0
        Score of rows without a hypothesis.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Shen, Yun, Lipton, Kronrod and Anandkumar, "Deep active learning for named entity recognition",
    ICLR 2018, :doi:`10.48550/arXiv.1707.05928`, with :math:`\alpha = 1`.

    Examples
    --------
    >>> from skactive.strategies import HypothesisConfidence
    >>> from skactive.testing import FakePool
    >>> tables = {"log_likelihood": [[-4.0, -5.0], [-3.0]], "lengths": [[8, 8], [2]]}
    >>> HypothesisConfidence().select(FakePool(elements=tables), 1)
    array([1])
    """

    needs = frozenset({"elements.log_likelihood", "elements.lengths"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementReduction._parameter_constraints,
        "alpha": NONNEGATIVE_REAL,
    }

    def __init__(
        self, alpha: float = 1.0, *, empty: float = 0.0, selector: Selector | None = None
    ) -> None:
        super().__init__(empty=empty, selector=selector)
        self.alpha = alpha

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows by the normalized loss of their best hypothesis, shape (n_rows,)."""
        return scores.length_normalized_loss(
            elements.log_likelihood, elements.lengths, offsets, self.alpha
        )


class HypothesisEntropy(ElementReduction):
    r"""Choose rows whose most likely hypotheses are about equally likely.

    .. math:: u(x) = -\sum_{h=1}^{N} q_h \log q_h, \qquad
        q_h = p(h \mid x) \Big/ \sum_{k=1}^{N} p(k \mid x)

    **When:** the model lists its N best outputs, each once: beams of a translator or a recognizer,
    the best tag sequences of a conditional random field. More is known than by the best alone.
    Rows should have equally many hypotheses. Needs their log-likelihoods.

    Parameters
    ----------
    empty : float, default=0.0
        Score of rows without a hypothesis.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Kim, Song, Kim, Cha and Lee, "MMR-based active machine learning for bio named entity
    recognition", HLT-NAACL 2006.

    Settles and Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008, :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> from skactive.strategies import HypothesisEntropy
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(elements={"log_likelihood": [[-1.0, -9.0], [-5.0, -5.0]]})
    >>> HypothesisEntropy().select(pool, 1)
    array([1])
    """

    needs = frozenset({"elements.log_likelihood"})

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows by the entropy of their hypotheses in nats, shape (n_rows,)."""
        return scores.n_best_entropy(elements.log_likelihood, offsets)


class HypothesisMargin(ElementReduction):
    r"""Choose rows whose two best hypotheses are about equally likely.

    .. math:: u(x) = 1 - (q_{(1)} - q_{(2)})

    with :math:`q_{(1)} \ge q_{(2)}` the largest probabilities, divided by the sum of all that are
    listed.

    **When:** as :class:`HypothesisEntropy`, if it matters only whether the best is the right one.
    Needs the log-likelihoods of two or more hypotheses per row, each listed once.

    Parameters
    ----------
    empty : float, default=0.0
        Score of rows without a hypothesis.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Scheffer, Decomain and Wrobel, "Active hidden Markov models for information extraction",
    IDA 2001, :doi:`10.1007/3-540-44816-0_31`.

    Settles and Craven, "An analysis of active learning strategies for sequence labeling tasks",
    EMNLP 2008, :doi:`10.3115/1613715.1613855`.

    Examples
    --------
    >>> from skactive.strategies import HypothesisMargin
    >>> from skactive.testing import FakePool
    >>> pool = FakePool(elements={"log_likelihood": [[-1.0, -3.0], [-5.0, -5.5]]})
    >>> HypothesisMargin().select(pool, 1)
    array([1])
    """

    needs = frozenset({"elements.log_likelihood"})

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows by the closeness of their two best hypotheses, shape (n_rows,)."""
        return scores.n_best_margin(elements.log_likelihood, offsets)


class SampleDisagreement(ElementReduction):
    r"""Choose rows for which the model generates texts that differ.

    .. math:: u(x) = \frac{1}{S (S - 1)} \sum_{i \ne j} d(y_i, y_j)

    over the S texts of a row, which are its elements, with d a distance of texts.

    **When:** translation, summaries and speech, where the model draws several outputs per row, by
    dropout, by sampling or by a committee, but has no trustworthy log-likelihood. Takes S squared
    comparisons per row. Needs predictions of elements, as texts.

    Parameters
    ----------
    measure : {"word_error_rate", "bleu"} or callable, default="word_error_rate"
        The distance: ``measure(reference, hypothesis)``, such as ``jiwer.cer``. "bleu" is
        :math:`(1 - \mathrm{BLEU})^2` (BLEUVar) by sacrebleu, which ``pip install "skactive[text]"``
        installs.
    empty : float, default=0.0
        Score of rows without a text.
    selector : callable, default=None
        Selects rows by their scores; None selects the highest.

    References
    ----------
    Xiao, Gomez and Gal, "Wat zei je? Detecting out-of-distribution translations with variational
    transformers", 2020, :doi:`10.48550/arXiv.2006.08344`, for BLEUVar.

    Examples
    --------
    A translator as it might be, whose adapter gives three texts per row:

    >>> from sklearn.base import BaseEstimator
    >>> from skactive import ActiveLearner
    >>> from skactive.adapters import StructuredAdapter, register
    >>> from skactive.strategies import SampleDisagreement
    >>> class Translator(BaseEstimator):
    ...     def fit(self, X, y):
    ...         return self
    >>> @register(Translator)
    ... class TranslatorAdapter(StructuredAdapter):
    ...     element = "hypothesis"
    ...     def prediction(self, Z):  # it guesses all words but "ja"
    ...         return [["yes"] * 3 if text == "ja" else ["a", "an", "the"] for text in Z]
    >>> learner = ActiveLearner(Translator(), SampleDisagreement(), random_state=0)
    >>> learner.fit(["nein"], ["no"]).query(["ja", "een"], batch_size=1)
    array([1])
    """

    needs = frozenset({"elements.prediction"})
    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ElementReduction._parameter_constraints,
        "measure": [str, callable],
    }

    def __init__(
        self,
        measure: str | Measure = "word_error_rate",
        *,
        empty: float = 0.0,
        selector: Selector | None = None,
    ) -> None:
        super().__init__(empty=empty, selector=selector)
        self.measure = measure

    def _validate_params(self) -> None:
        super()._validate_params()
        find_measure(self.measure)  # before any label is paid for

    def score_rows(self, elements: ElementView, offsets: Positions) -> Floats:
        """Score rows by the mean distance of their texts, shape (n_rows,)."""
        return scores.sample_disagreement(elements.prediction, offsets, self.measure)
