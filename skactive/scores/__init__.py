"""Scores turn predictions into one number per row; higher is always more informative.

Every function is pure: arrays in, a new ``float64`` array of shape ``(n_rows,)`` out. Probabilities
may be exactly zero: logarithms take their limits, and nothing is added to avoid them.

* From class probabilities: :func:`least_confidence`, :func:`margin`, :func:`margin_ratio`,
  :func:`entropy`; from decision values: :func:`decision_margin`.
* From several draws of class probabilities (a committee, an ensemble, dropout):
  :func:`mutual_information`, :func:`expected_predictive_information_gain`, :func:`vote_entropy`,
  :func:`consensus_entropy`, :func:`kl_to_consensus`, :func:`variation_ratio`,
  :func:`mean_standard_deviation`.
* With an embedding: :func:`expected_gradient_length`, :func:`information_density`.
"""

from skactive.scores._arithmetic import SUM_TOLERANCE as SUM_TOLERANCE
from skactive.scores._committee import (
    consensus_entropy,
    kl_to_consensus,
    mean_standard_deviation,
    variation_ratio,
    vote_entropy,
)
from skactive.scores._embedding import expected_gradient_length, information_density
from skactive.scores._information import expected_predictive_information_gain, mutual_information
from skactive.scores._uncertainty import (
    decision_margin,
    entropy,
    least_confidence,
    margin,
    margin_ratio,
)

__all__ = [
    "consensus_entropy",
    "decision_margin",
    "entropy",
    "expected_gradient_length",
    "expected_predictive_information_gain",
    "information_density",
    "kl_to_consensus",
    "least_confidence",
    "margin",
    "margin_ratio",
    "mean_standard_deviation",
    "mutual_information",
    "variation_ratio",
    "vote_entropy",
]
