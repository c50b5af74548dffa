"""Annotators: who answers, at which price, and which of their answers can be accepted.

* Who answers: :class:`ModelAnnotator` (any classifier), :class:`FunctionAnnotator` (a rule),
  :class:`LLMAnnotator` (a language model on a server).
* :class:`ExampleSelector` chooses the labeled examples that a language model is shown.
* :class:`PreferencePairs` chooses pairs of answers to compare, with random ones beside them.
* :func:`distill` fits a small model to their answers, as far as these are reliable.
* :class:`Router` accepts the answers that an audit allows, and leaves the other rows to people;
  its :class:`Certificate` says what is promised.
"""

from skactive.annotators._annotations import Annotations
from skactive.annotators._audits import Recheck
from skactive.annotators._base import Annotator
from skactive.annotators._certificate import Certificate
from skactive.annotators._distilling import distill
from skactive.annotators._examples import ExampleSelector
from skactive.annotators._function import FunctionAnnotator
from skactive.annotators._llm import LLMAnnotator
from skactive.annotators._model import ModelAnnotator
from skactive.annotators._preferences import PairBatch, PreferencePairs, PreferenceVerdict
from skactive.annotators._router import Router

__all__ = [
    "Annotations",
    "Annotator",
    "Certificate",
    "ExampleSelector",
    "FunctionAnnotator",
    "LLMAnnotator",
    "ModelAnnotator",
    "PairBatch",
    "PreferencePairs",
    "PreferenceVerdict",
    "Recheck",
    "Router",
    "distill",
]
