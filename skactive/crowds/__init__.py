"""Crowds: one label, with a probability, from the answers of several people."""

from skactive.crowds._active_lab import ActiveLab
from skactive.crowds._agreement import agreement
from skactive.crowds._answers import Answers
from skactive.crowds._base import CrowdModel
from skactive.crowds._crowd_lab import CrowdLab
from skactive.crowds._dawid_skene import DawidSkene
from skactive.crowds._glad import GLAD
from skactive.crowds._mace import MACE
from skactive.crowds._majority_vote import MajorityVote
from skactive.crowds._one_coin import OneCoin
from skactive.crowds._opinions import OpinionScores, score_opinions
from skactive.crowds._several_labels import MultilabelAnswers, MultilabelCrowd
from skactive.crowds._simulated import SimulatedAnnotator, SimulatedAnswers, simulate_answers

__all__ = [
    "GLAD",
    "MACE",
    "ActiveLab",
    "Answers",
    "CrowdLab",
    "CrowdModel",
    "DawidSkene",
    "MajorityVote",
    "MultilabelAnswers",
    "MultilabelCrowd",
    "OneCoin",
    "OpinionScores",
    "SimulatedAnnotator",
    "SimulatedAnswers",
    "agreement",
    "score_opinions",
    "simulate_answers",
]
