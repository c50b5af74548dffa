"""Simulated active learning: the whole loop, played with known labels."""

from skactive.simulation._learner import SimulatedLearner

__all__ = ["SimulatedLearner"]
