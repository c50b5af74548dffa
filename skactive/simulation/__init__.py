"""Simulated active learning: the whole loop, played with known labels."""

from skactive.simulation._crowd import Crowd
from skactive.simulation._learner import SimulatedLearner
from skactive.simulation._oracles import Elements, Rows

__all__ = ["Crowd", "Elements", "Rows", "SimulatedLearner"]
