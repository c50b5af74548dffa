"""The code of the guide runs as it stands, block after block."""

import re
import sys
import types
from pathlib import Path

import numpy as np

from skactive.testing import adapter_checks

GUIDE = (Path(__file__).parents[1] / "docs" / "guide.md").read_text(encoding="utf-8")
SECTION = "Models that predict more than one thing per row"


def list_blocks(title):
    """The Python blocks of a section."""
    section = GUIDE.split(f"## {title}\n")[1].split("\n## ")[0]
    return re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)


def test_a_tagger_of_a_third_party_asks_for_the_text_of_most_doubt(monkeypatch):
    module = types.ModuleType("guide")  # so that its classes can be pickled
    monkeypatch.setitem(sys.modules, "guide", module)
    model, use = list_blocks(SECTION)
    assert len([line for line in model.splitlines() if line]) < 30
    exec(compile(model, "guide.md", "exec"), vars(module))
    exec(compile(use, "guide.md", "exec"), vars(module))
    assert vars(module)["row"].shape == (1,)
    learner, pool = vars(module)["learner"], vars(module)["pool"]
    doubt = [-np.log(learner.estimator_.tag(text).max(axis=1)).mean() for text in pool]
    assert vars(module)["row"][0] == np.argmax(doubt)
    rows = [*pool, "Bob", "they were"]
    for check in adapter_checks(learner.estimator_, rows):
        check()
