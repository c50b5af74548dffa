"""Estimates for a campaign: the present score, the future score, and the labels saved.

* Now: :func:`audit` on rows drawn at random, with the exact interval of :func:`clopper_pearson`,
  and :func:`audit_error` of models that predict numbers, with that of :func:`mean_interval`;
  :func:`lure_estimate` on rows drawn with known probabilities, which
  :func:`proposal_probabilities` gives for the stochastic selectors.
* Now, with fewer labels: :class:`ActiveEvaluation` asks for the rows, and :func:`ppi_mean` uses
  what a model predicts for all others.
* Which: :class:`ActiveModelSelection` finds the best of several models.
* Later: :func:`forecast_learning_curve`, with an interval and the labels that a target will take.
* Saved: :func:`estimate_savings`, from rows labeled at random alone.
"""

from skactive.estimation._active_evaluation import ActiveEvaluation
from skactive.estimation._audit import audit, audit_error
from skactive.estimation._forecast import Forecast, forecast_learning_curve
from skactive.estimation._intervals import Estimate, clopper_pearson, mean_interval
from skactive.estimation._lure import lure_estimate, lure_weights, proposal_probabilities
from skactive.estimation._model_selection import ActiveModelSelection
from skactive.estimation._prediction_powered import ppi_mean
from skactive.estimation._savings import SavingsEstimate, estimate_savings

__all__ = [
    "ActiveEvaluation",
    "ActiveModelSelection",
    "Estimate",
    "Forecast",
    "SavingsEstimate",
    "audit",
    "audit_error",
    "clopper_pearson",
    "estimate_savings",
    "forecast_learning_curve",
    "lure_estimate",
    "lure_weights",
    "mean_interval",
    "ppi_mean",
    "proposal_probabilities",
]
