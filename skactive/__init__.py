"""Active learning for scikit-learn: label less, learn the same."""

# No import, not even of typing: the command handles interrupts from the end of this file on.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from skactive._learner import ActiveLearner
    from skactive._utils.ragged import Ragged
    from skactive.simulation._learner import SimulatedLearner

__version__ = "0.1.0.dev0"

__all__ = ["ActiveLearner", "Ragged", "SimulatedLearner", "__version__"]

_SOURCES = {
    "ActiveLearner": "skactive._learner",
    "Ragged": "skactive._utils.ragged",
    "SimulatedLearner": "skactive.simulation._learner",
}
_MODULES = (
    *("adapters", "estimation", "exceptions", "explanation", "pool", "reductions", "scores"),
    *("selectors", "simulation", "stopping", "strategies", "streams"),
)

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import a name on first use: the command must not wait for scikit-learn."""
        from skactive._utils.lazy import import_name

        return import_name(__name__, name, _SOURCES, _MODULES)

    def __dir__():
        return sorted({*globals(), *_SOURCES, *_MODULES})
