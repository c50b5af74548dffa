"""Active learning for scikit-learn: label less, learn the same."""

from skactive._learner import ActiveLearner
from skactive.simulation._learner import SimulatedLearner

__version__ = "0.1.0.dev0"

__all__ = ["ActiveLearner", "SimulatedLearner", "__version__"]
