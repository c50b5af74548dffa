"""Scores turn predictions into one number per row; higher is always more informative.

Every function is pure: arrays in, a new ``float64`` array of shape ``(n_rows,)`` out. Probabilities
may be exactly zero: logarithms take their limits, and nothing is added to avoid them.

* From class probabilities: :func:`least_confidence`, :func:`margin`, :func:`margin_ratio`,
  :func:`entropy`; with costs of wrong decisions: :func:`expected_cost`, :func:`cost_margin`; from
  decision values: :func:`decision_margin`.
* From several draws of class probabilities (a committee, an ensemble, dropout):
  :func:`mutual_information`, :func:`expected_predictive_information_gain`, :func:`vote_entropy`,
  :func:`consensus_entropy`, :func:`kl_to_consensus`, :func:`variation_ratio`,
  :func:`mean_standard_deviation`.
* With an embedding: :func:`expected_gradient_length`, :func:`information_density`.

The elements of rows (tokens, pixels, boxes, hypotheses) are scored as rows are, and reduced by
:mod:`skactive.reductions`. These functions read them together, row by row:

* of boxes: :func:`box_margin`, :func:`box_entropy`, :func:`localization_instability`, and
  :func:`box_overlap`;
* of pixels: :func:`region_impurity`; of predicted numbers: :func:`energy_weighted_variance`;
* of several labels: :func:`hamming_risk`, :func:`separation_margin`, :func:`borda_margin`, and
  :func:`entropy_distance`;
* of tokens: :func:`mnlp`; of the most likely hypotheses: :func:`length_normalized_loss`,
  :func:`n_best_entropy`, :func:`n_best_margin`;
* of generated texts: :func:`sample_disagreement`, and :func:`word_error_rate`.
"""

from skactive.scores._arithmetic import SUM_TOLERANCE as SUM_TOLERANCE
from skactive.scores._committee import (
    consensus_entropy,
    kl_to_consensus,
    mean_standard_deviation,
    variation_ratio,
    vote_entropy,
)
from skactive.scores._costs import cost_margin, expected_cost
from skactive.scores._dense import energy_weighted_variance
from skactive.scores._detection import (
    box_entropy,
    box_margin,
    box_overlap,
    localization_instability,
)
from skactive.scores._embedding import expected_gradient_length, information_density
from skactive.scores._generation import sample_disagreement, word_error_rate
from skactive.scores._information import expected_predictive_information_gain, mutual_information
from skactive.scores._segmentation import region_impurity
from skactive.scores._sequences import (
    length_normalized_loss,
    mnlp,
    n_best_entropy,
    n_best_margin,
)
from skactive.scores._several_labels import (
    borda_margin,
    entropy_distance,
    hamming_risk,
    separation_margin,
)
from skactive.scores._uncertainty import (
    decision_margin,
    entropy,
    least_confidence,
    margin,
    margin_ratio,
)

__all__ = [
    "borda_margin",
    "box_entropy",
    "box_margin",
    "box_overlap",
    "consensus_entropy",
    "cost_margin",
    "decision_margin",
    "energy_weighted_variance",
    "entropy",
    "entropy_distance",
    "expected_cost",
    "expected_gradient_length",
    "expected_predictive_information_gain",
    "hamming_risk",
    "information_density",
    "kl_to_consensus",
    "least_confidence",
    "length_normalized_loss",
    "localization_instability",
    "margin",
    "margin_ratio",
    "mean_standard_deviation",
    "mnlp",
    "mutual_information",
    "n_best_entropy",
    "n_best_margin",
    "region_impurity",
    "sample_disagreement",
    "separation_margin",
    "variation_ratio",
    "vote_entropy",
    "word_error_rate",
]
