"""A folder of finished campaigns, from which a comparison resumes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sklearn.base import ClassifierMixin, RegressorMixin

from skactive._utils.files import remove_leftovers
from skactive._utils.fingerprint import describe, describe_model, digest
from skactive._utils.seeding import draw_seed
from skactive.comparison._names import find_model, name_model
from skactive.comparison._run_files import (
    FORMAT,
    DamagedFileError,
    RunFile,
    find_score_range,
    read_sealed,
    write_sealed,
)

__all__ = ["CampaignFolder"]

_UNSEALED_FORMAT = 1  # its files have no digest


class CampaignFolder:
    """A folder of finished campaigns, with a manifest of the data and settings of all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, folder / "manifest.json"
        self._settings: dict[str, Any] = {}
        self._accepts_unsealed = False

    def draw_seed(self, random_state: Any) -> int:
        """Draw the seed; None takes that of the folder, if it has one."""
        if random_state is None and self.manifest.exists():
            return int(self._read_manifest()[1]["random_state"])
        return draw_seed(random_state)

    def open(self, settings: dict[str, Any]) -> None:
        """Make the folder, or check that it holds campaigns of this data and these settings."""
        self._settings = settings
        if not self.manifest.exists():
            (self.folder / "runs").mkdir(parents=True, exist_ok=True)
            write_sealed(self.manifest, {"format": FORMAT, "settings": settings})
            return
        version, stored = self._read_manifest()
        differences = [
            f"{name} ({_excerpt(stored.get(name))} there, {_excerpt(settings.get(name))} here)"
            for name in {**settings, **stored}
            if digest(stored.get(name)) != digest(settings.get(name))
        ]
        if differences:
            raise ValueError(
                f"The folder {self.folder} holds campaigns of another comparison. What differs: "
                f"{'; '.join(differences)}. Pass the same, or another folder."
            )
        self._accepts_unsealed = version == _UNSEALED_FORMAT
        (self.folder / "runs").mkdir(exist_ok=True)
        remove_leftovers(self.folder / "runs")

    def make_run_file(self, learner: Any, strategy: Any, repeat: int) -> RunFile:
        """Return the file of a campaign; its digest is unique, the names are for people."""
        key = {"model": describe_model(learner), "strategy": describe(strategy)}
        names = f"{name_model(learner)}-{type(strategy).__name__}"
        settings = {name: value for name, value in self._settings.items() if value is not None}
        return RunFile(
            self.folder / "runs" / f"{names}-{digest(key)[:16]}-{repeat:04d}.json",
            {
                **{name: digest(description) for name, description in key.items()},
                "settings": digest(settings),
                "seed": self._settings["random_state"],
                "repeat": repeat,
            },
            find_score_range(self._settings["scoring"] or _find_own_scorer(learner)),
            self._settings["budget"] if self._settings.get("costs") is None else None,
            self._accepts_unsealed,
        )

    def _read_manifest(self) -> tuple[int, dict[str, Any]]:
        """Return the format and the settings."""
        try:
            content = read_sealed(self.manifest)
        except DamagedFileError as error:
            raise self._explain_damage(str(error)) from error
        version, settings = content.get("format"), content.get("settings")
        is_sealed = "digest" in content
        if type(version) is not int or version not in {_UNSEALED_FORMAT, FORMAT}:
            raise ValueError(
                f"{self.manifest} has format {_excerpt(version)}, this version of skactive "
                f"reads {_UNSEALED_FORMAT} and {FORMAT}: pass another folder, or use the version "
                "that wrote it."
            )
        if is_sealed != (version == FORMAT) or not isinstance(settings, dict):
            raise self._explain_damage("settings or digest are missing")
        seed = settings.get("random_state")
        if type(seed) is not int or seed < 0:
            raise self._explain_damage("its random_state is not an integer >= 0")
        return version, settings

    def _explain_damage(self, reason: str) -> ValueError:
        return ValueError(
            f"{self.manifest} is not a manifest of compare_strategies, or is damaged: {reason}. "
            "Pass another folder; or, if the runs beside it are yours, delete the manifest and "
            "pass the arguments and the random_state of that time: runs that fit them are used."
        )


def _find_own_scorer(learner: Any) -> str | None:
    """Return the name of the scorer that equals a model's own ``score``; None for any other."""
    score = getattr(type(find_model(learner)), "score", None)
    if score is ClassifierMixin.score:
        return "accuracy"
    return "r2" if score is RegressorMixin.score else None


def _excerpt(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
