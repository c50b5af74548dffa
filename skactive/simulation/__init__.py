"""Simulated active learning: the whole loop, played with known labels."""

from skactive.simulation._learner import SimulatedLearner
from skactive.simulation._oracles import Elements, Rows

__all__ = ["Elements", "Rows", "SimulatedLearner"]
