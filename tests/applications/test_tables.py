"""The tables of the README are those of the benchmark's results."""

import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.skipif(
    not (ROOT / "benchmarks").is_dir(), reason="the benchmarks are in the repository only"
)


@pytest.fixture
def script(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import applications

    yield applications
    import sys

    sys.modules.pop("applications")


RECORD = {
    "title": "Flowers",
    "source": "iris",
    "model": "naive Bayes",
    "score": "accuracy",
    "unit": "cents",
    "chosen": "Margin",
    "n_pool": 100,
    "n_test": 50,
    "n_repeats": 5,
    "n_initial": 10,
    "batch_size": 5,
    "budget": 1200,
    "target": 0.94,
    "strategies": [
        {
            "name": "Random", "final_score": 0.94, "area": 0.9, "difference": 0.0, "saved": None,
            "difference_low": 0.0, "difference_high": 0.0, "cost": 1200.0, "round_seconds": 0.1,
        },
        {
            "name": "Margin", "final_score": 0.95, "area": 0.92, "difference": 0.02, "saved": 0.4,
            "low": 0.25, "high": None, "bound": "at least", "cost": 720.4, "round_seconds": 0.2,
            "difference_low": -0.01, "difference_high": 0.05,
        },
    ],
}  # fmt: skip


def test_a_line_has_both_costs_and_the_saving(script):
    line = script.make_table([("flowers", RECORD)])[2]
    assert line == (
        "| [Flowers](applications/flowers) | iris | naive Bayes | 1,200 cents: 0.940 accuracy | "
        "Margin: 720 cents | at least 40 % (25 to -) |"
    )


def test_long_tables_have_all_strategies(script):
    lines = "\n".join(script.make_long_tables([("flowers", RECORD)]))
    assert "10 rows at the start, 5 per round, up to 1200 cents" in lines
    assert (
        "| Margin | 720 | at least 40 % (25 to -) | +0.0200 (-0.0100 to +0.0500) | 0.950 | 0.20 |"
        in lines
    )
    assert "| Random | 1,200 |  |  | 0.940 | 0.10 |" in lines


def test_lines_are_written_between_the_marks(script, tmp_path):
    path = tmp_path / "README.md"
    mark = "<!-- applications: written by benchmarks/applications.py -->"
    path.write_text(f"before\n{mark}\nold\n<!-- end -->\nafter\n<!-- end -->\n")
    script.replace_between_marks(path, ["new", "lines"])
    assert path.read_text() == f"before\n{mark}\nnew\nlines\n<!-- end -->\nafter\n<!-- end -->\n"


@pytest.mark.parametrize("long", [False, True])
def test_readmes_hold_the_tables_of_the_results(script, long):
    results = sorted(script.RESULTS.glob("*.json"))
    records = [(path.name.split(".")[0], json.loads(path.read_text())) for path in results]
    lines = (script.make_long_tables if long else script.make_table)(records)
    text = (script.LONG_README if long else script.README).read_text(encoding="utf-8")
    assert "\n".join(lines).strip() in text


def test_each_application_has_full_sets(script):
    assert set(script.find_applications()) == set(script.FULL_SETS)
