"""Active learning for scikit-learn: label less, learn the same."""

from typing import TYPE_CHECKING

from skactive._utils.lazy import make_lazy

if TYPE_CHECKING:
    from skactive._learner import ActiveLearner
    from skactive.simulation._learner import SimulatedLearner

__version__ = "0.1.0.dev0"

__all__ = ["ActiveLearner", "SimulatedLearner", "__version__"]

# Scikit-learn takes a second to import, for which the command line must not wait.
if not TYPE_CHECKING:
    __getattr__, __dir__ = make_lazy(
        __name__,
        {
            "ActiveLearner": "skactive._learner",
            "SimulatedLearner": "skactive.simulation._learner",
        },
        (
            *("adapters", "estimation", "exceptions", "pool", "scores", "selectors"),
            *("simulation", "stopping", "strategies"),
        ),
    )
