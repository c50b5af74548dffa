"""Files of finished campaigns: written with a digest, and checked when they are read."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.files import write_atomically
from skactive._utils.fingerprint import digest
from skactive._utils.text import pluralize
from skactive.comparison._runs import SERIES, Run

__all__ = [
    "FORMAT",
    "DamagedFileError",
    "RunFile",
    "describe_damaged_files",
    "find_score_range",
    "read_sealed",
    "write_sealed",
]

FORMAT = 2  # of the files in a folder; files of format 1 have no digest
_MAX_LISTED_FILES = 10  # of damaged files in a warning
_MAX_ROUNDING = 1e-9  # by which scores may exceed their range
_SCORE_RANGES = (  # of the names of scikit-learn's scorers
    (
        r"accuracy|average_precision|balanced_accuracy|completeness_score|fowlkes_mallows_score"
        r"|homogeneity_score|normalized_mutual_info_score|rand_score|top_k_accuracy"
        r"|v_measure_score|(f1|jaccard|precision|recall|roc_auc)(_\w+)?",
        (0.0, 1.0),
    ),
    ("adjusted_rand_score|adjusted_mutual_info_score|matthews_corrcoef", (-1.0, 1.0)),
    (r"r2|explained_variance|d2_\w+", (-math.inf, 1.0)),
    (r"neg_\w+", (-math.inf, 0.0)),
)


class DamagedFileError(ValueError):
    """A file that is not as it was written; the message is the reason."""


@dataclass(frozen=True)
class RunFile:
    """The file of a finished campaign.

    Parameters
    ----------
    path : Path
        The file.
    key : dict
        Digests of the model, the strategy and the settings; the repeat and the seed.
    score_range : (float, float)
        Range of the scores, as far as it is known.
    max_labels : int or None
        Number of labels that a campaign may read, if it is known.
    accepts_unsealed : bool
        Whether a file without a digest (format 1) is read; its values are checked for their ranges.
    """

    path: Path
    key: dict[str, Any]
    score_range: tuple[float, float] = (-math.inf, math.inf)
    max_labels: int | None = None
    accepts_unsealed: bool = False

    def load(self, model: str, strategy: str, repeat: int) -> tuple[Run, bool] | None:
        """Return the run, and whether it has a digest; None if there is no such file.

        Raises
        ------
        DamagedFileError
            If the file is damaged, or belongs to another campaign.
        """
        try:
            content = read_sealed(self.path)
        except FileNotFoundError:
            return None
        is_sealed = "digest" in content
        if is_sealed:
            if content.get("format") != FORMAT:
                raise DamagedFileError(f"it has format {content.get('format')!r}")
            if content.get("key") != self.key:
                raise DamagedFileError("it is the file of another campaign")
        elif not self.accepts_unsealed or set(content) != set(SERIES):
            raise DamagedFileError("it has no digest")
        names = (*SERIES, "costs") if "costs" in content else SERIES
        series = [self._read_series(content, name) for name in names]
        if len({len(values) for values in series}) > 1:
            raise DamagedFileError("its series have several lengths")
        return Run("data", model, strategy, repeat, *series), is_sealed

    def save(self, run: Run) -> None:
        """Write the run."""
        names = SERIES if run.costs is None else (*SERIES, "costs")
        series = {name: getattr(run, name).tolist() for name in names}
        write_sealed(self.path, {"format": FORMAT, "key": self.key, **series})

    def _read_series(self, content: Mapping[str, Any], name: str) -> Any:
        values = content.get(name)
        kinds = (int,) if name == "n_labels" else (int, float)
        if not isinstance(values, list) or not values or any(type(v) not in kinds for v in values):
            raise DamagedFileError(f"its {name} are not a list of numbers")
        low, high = self._get_range(name)
        largest = sys.float_info.max  # excludes infinity, and integers that no float can hold
        if not all(low <= value <= high and abs(value) <= largest for value in values):
            raise DamagedFileError(f"its {name} are out of range")
        if name in {"n_labels", "costs"} and any(b <= a for a, b in pairwise(values)):
            raise DamagedFileError(f"its {name} do not increase")
        return np.array(values, dtype=np.intp if name == "n_labels" else np.float64)

    def _get_range(self, name: str) -> tuple[float, float]:
        if name == "n_labels":
            return 0, 2**53 if self.max_labels is None else self.max_labels
        return self.score_range if name == "scores" else (0.0, math.inf)


def find_score_range(name: Any) -> tuple[float, float]:
    """Return the range of a score of scikit-learn; infinite where it is not known.

    Parameters
    ----------
    name : str or object
        Name of the scorer; anything else stands for another score.
    """
    for pattern, (low, high) in _SCORE_RANGES:
        if isinstance(name, str) and re.fullmatch(pattern, name):
            return low - _MAX_ROUNDING, high + _MAX_ROUNDING
    return -math.inf, math.inf


def read_sealed(path: Path) -> dict[str, Any]:
    """Return the content of a JSON file; if it has a digest, the content is as it was written.

    Raises
    ------
    DamagedFileError
        If it is not.
    OSError
        If it cannot be read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(content, dict):
            raise DamagedFileError("it is not a JSON object")
        if "digest" in content and content["digest"] != _compute_digest(content):
            raise DamagedFileError("its content does not agree with its digest")
    except DamagedFileError:
        raise
    except (ValueError, RecursionError) as error:  # RecursionError: nested too deep
        raise DamagedFileError("it is not JSON") from error
    return content


def write_sealed(path: Path, content: dict[str, Any]) -> None:
    """Write a JSON object with its digest, for the owner only."""
    text = json.dumps({**content, "digest": _compute_digest(content)})
    write_atomically(path, lambda file: file.write(text.encode()), private=True)


def _compute_digest(content: dict[str, Any]) -> str:
    return digest({name: value for name, value in content.items() if name != "digest"})


def describe_damaged_files(damaged: list[tuple[Path, str]], unsealed: list[Path]) -> list[str]:
    """Return a sentence about damaged files, and one about files without a digest."""
    sentences = []
    if damaged:
        names = ", ".join(f"{path.name} ({reason})" for path, reason in damaged[:_MAX_LISTED_FILES])
        more = (
            f" and {len(damaged) - _MAX_LISTED_FILES} more"
            if len(damaged) > _MAX_LISTED_FILES
            else ""
        )
        sentences.append(
            f"{pluralize(len(damaged), 'file')} of finished campaigns in {damaged[0][0].parent} "
            f"cannot be used, and the campaigns are played again: {names}{more}."
        )
    if unsealed:
        sentences.append(
            f"{pluralize(len(unsealed), 'campaign')} in {unsealed[0].parent} were kept by an older "
            "version, without a digest: only the ranges of their values were checked. Delete a "
            "file to play its campaign again."
        )
    return sentences
