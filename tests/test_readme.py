"""The code of the README runs as it stands, block after block."""

import re
import sys
import textwrap
import types
from pathlib import Path

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks():
    """The Python blocks, those inside of lists too."""
    found = re.findall(r"^( *)```python\n(.*?)^ *```", README, flags=re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(code) for _, code in found]


def test_readme_runs(monkeypatch):
    module = types.ModuleType("readme")  # so that its classes can be pickled
    monkeypatch.setitem(sys.modules, "readme", module)
    names = vars(module)
    code = blocks()
    assert len(code) == 5
    for block in code:
        exec(compile(block, "README.md", "exec"), names)
    assert len(names["learner"].y_labeled_) == 100
    assert len(names["pool"]) == 1697
    assert names["learner"].score(names["X"][names["pool"]], names["y"][names["pool"]]) > 0.85
    assert len(names["search"].cv_results_["params"]) == 6
    assert names["comparison"].strategies == ("Random()", "Margin()", "Auto()")
    assert "fewer labels than Random()" in names["comparison"].summary()
    cases = names["test_strategy"].pytestmark[0].args[1]
    assert len(cases) > 10
    for case in cases:
        names["test_strategy"](*case.values)
