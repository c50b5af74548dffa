"""The report of a comparison: returned, written, and complete without the command line."""

import pytest

from skactive.comparison import StrategyComparison

pytest.importorskip("matplotlib")


@pytest.mark.no_cover
def test_the_page_is_returned_and_written(compared, tmp_path):
    comparison, path = compared(), tmp_path / "report.html"
    page = comparison.to_html()
    assert page == comparison.to_html(path) == path.read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>\n")
    assert "<h1>Comparison of query strategies</h1>" in page
    assert page.count("<figure>") == 4
    for line in comparison.summary().splitlines():
        assert line in page


def test_title_summary_notes_and_sections(compared):
    page = compared().to_html(
        title="<A>", summary="One & all.\nTwo.", notes=["<care>"], sections={"B & c": "<p>d</p>"}
    )
    assert "<title>&lt;A&gt;</title>" in page
    assert "<h1>&lt;A&gt;</h1>" in page
    assert '<div class="summary"><p>One &amp; all.</p><p>Two.</p></div>' in page
    assert "<li>&lt;care&gt;</li>" in page
    assert "<h2>B &amp; c</h2>\n<p>d</p></section>" in page


def test_several_datasets_and_models(compared):
    page = compared(models=("SVC", "forest"), datasets=("a", "b")).to_html()
    for name in ("a, SVC", "a, forest", "b, SVC", "b, forest"):
        assert f"<h2>Learning curves of {name}</h2>" in page
        assert f"<h2>Areas under the curves of {name}</h2>" in page
    assert page.count("<figure>") == 4 + 3
    assert "Mean ranks of the areas over the datasets." in page
    assert "splits of one table" not in page


def test_a_model_that_was_not_played_on_a_dataset(compared):
    runs = compared(models=("SVC", "forest"), datasets=("a", "b")).runs
    runs = [run for run in runs if (run.dataset, run.model) != ("b", "SVC")]
    page = StrategyComparison(runs).to_html()
    assert page.count("<h2>Learning curves of ") == 3
    assert "No strategy succeeded on all datasets with all models" in page
