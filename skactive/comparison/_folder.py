"""A folder of finished campaigns, from which a comparison resumes."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from skactive._utils.fingerprint import describe, describe_model, digest
from skactive._utils.seeding import draw_seed
from skactive.comparison._names import name_model
from skactive.comparison._runs import SERIES, Run, check_run

__all__ = ["CampaignFolder", "load_run", "save_run"]

FORMAT = 1  # of the files in a folder


class CampaignFolder:
    """A folder of finished campaigns, with a manifest of the data and settings of all of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.manifest = folder, folder / "manifest.json"

    def draw_seed(self, random_state: Any) -> int:
        """Draw the seed; None takes that of the folder, if it has one."""
        if random_state is None and self.manifest.exists():
            return int(self._read_settings()["random_state"])
        return draw_seed(random_state)

    def open(self, settings: dict[str, Any]) -> None:
        """Make the folder, or check that it holds campaigns of this data and these settings."""
        if not self.manifest.exists():
            (self.folder / "runs").mkdir(parents=True, exist_ok=True)
            _write_json(self.manifest, {"format": FORMAT, "settings": settings})
            return
        stored = self._read_settings()
        differences = [
            f"{name} ({_abbreviate(stored.get(name))} there, {_abbreviate(settings.get(name))} "
            "here)"
            for name in {**settings, **stored}
            if digest(stored.get(name)) != digest(settings.get(name))
        ]
        if differences:
            raise ValueError(
                f"The folder {self.folder} holds campaigns of another comparison. What differs: "
                f"{'; '.join(differences)}. Pass the same, or another folder."
            )

    def run_path(self, learner: Any, strategy: Any, repeat: int) -> Path:
        """Return the file of a campaign; its digest is unique, the names are for people."""
        key = {"model": describe_model(learner), "strategy": describe(strategy)}
        names = f"{name_model(learner)}-{type(strategy).__name__}"
        return self.folder / "runs" / f"{names}-{digest(key)[:16]}-{repeat:04d}.json"

    def _read_settings(self) -> dict[str, Any]:
        try:
            manifest = json.loads(self.manifest.read_text(encoding="utf-8"))
            version, settings = manifest["format"], dict(manifest["settings"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f"{self.manifest} is not a manifest of compare_strategies: pass another folder."
            ) from error
        if version != FORMAT:
            raise ValueError(
                f"{self.manifest} has format {version!r}, this version of skactive reads {FORMAT}: "
                "pass another folder, or use the version that wrote it."
            )
        return settings


def load_run(path: Path, model: str, strategy: str, repeat: int) -> Run | None:
    """Read a finished campaign; return None if it is missing or damaged, to play it again."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("digest") != digest(content):
            return None
        series = [np.asarray(content[name]) for name in SERIES]
        return check_run(Run("data", model, strategy, repeat, *series))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def save_run(path: Path, run: Run) -> None:
    """Write a finished campaign, with a digest that shows whether it was damaged since."""
    content = {name: getattr(run, name).tolist() for name in SERIES}
    _write_json(path, {**content, "digest": digest(content)})


def _write_json(path: Path, content: dict[str, Any]) -> None:
    """Write a file atomically: complete, or not at all."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.stem}", suffix=".tmp")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _abbreviate(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
