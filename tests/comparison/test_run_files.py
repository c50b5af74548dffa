"""Files of finished campaigns: damage is noticed, whatever it is, and played again."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from skactive.comparison._run_files import find_score_range
from skactive.exceptions import SkactiveWarning

SPEC = importlib.util.spec_from_file_location(
    "run_file_campaign", Path(__file__).with_name("run_file_campaign.py")
)
campaign = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(campaign)

SERIES = {"n_labels": [5, 10, 15, 20], "scores": [0.5, 0.6, 0.7, 0.8],
          "fit_seconds": [0.1] * 4, "query_seconds": [0.1] * 4}  # fmt: skip


def crafted(**changes):
    return json.dumps(SERIES | changes)


DAMAGED = [
    "", "{", "[]", "null", "[" * 100_000, '{"a":' * 50_000, '{"scores": [1.0]}',
    "\ud83d".encode("utf-8", "surrogatepass"),
    crafted(scores=[float("nan")] * 4),
    crafted(scores=[float("inf")] * 4),
    crafted(scores=[42.0] * 4),
    crafted(scores=["0.5"] * 4),
    crafted(scores=[True] * 4),
    crafted(scores=[[0.5]] * 4),
    crafted(scores="0.50"),
    crafted(scores={"0": 0.5}),
    crafted(scores=None),
    crafted(scores=[]),
    crafted(scores=[0.5]),
    crafted(scores=[10**400] * 4),
    crafted(fit_seconds=[-1.0] * 4),
    crafted(query_seconds=[10**400] * 4),
    crafted(n_labels=[5, 10, 10, 20]),
    crafted(n_labels=[-5, 10, 15, 20]),
    crafted(n_labels=[5, 10, 15, 2**70]),
    crafted(n_labels=[5.0, 10.0, 15.0, 20.0]),
    crafted(digest=None),
    crafted(more=1),
]  # fmt: skip


def make_old(folder):
    """Turn a folder into one of format 1, which has no digests."""
    for path in folder.rglob("*.json"):
        content = json.loads(path.read_text())
        content = {name: content[name] for name in {*SERIES, "settings"} & content.keys()}
        if path.name == "manifest.json":
            content["format"] = 1
        path.write_text(json.dumps(content))


@pytest.mark.parametrize("is_old", [False, True])
def test_damaged_campaigns_are_played_again(tmp_path, compared, scores_of, counted, is_old):
    n_repeats = len(DAMAGED)
    first = compared([counted()], folder=tmp_path, n_repeats=n_repeats)
    if is_old:
        make_old(tmp_path)
    paths = sorted((tmp_path / "runs").iterdir())
    for path, content in zip(paths, DAMAGED, strict=True):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.warns(SkactiveWarning, match=rf"{n_repeats} files .* {paths[0].name} \(it is not"):
        again = compared([counted()], folder=tmp_path, n_repeats=n_repeats)
    assert scores_of(again) == scores_of(first)
    assert counted.calls == 2 * 3 * n_repeats
    compared([counted()], folder=tmp_path, n_repeats=n_repeats)  # mended: no warning
    assert counted.calls == 2 * 3 * n_repeats


def test_a_file_of_another_campaign_is_noticed(tmp_path, compared, scores_of):
    first = compared(folder=tmp_path)
    paths = sorted((tmp_path / "runs").iterdir())
    contents = [path.read_text() for path in paths]
    for path, content in zip(paths, [*contents[1:], contents[0]], strict=True):
        path.write_text(content)
    with pytest.warns(SkactiveWarning, match="6 files .*it is the file of another campaign"):
        assert scores_of(compared(folder=tmp_path)) == scores_of(first)


def test_folders_of_older_versions_are_read_with_a_warning(tmp_path, compared, scores_of, counted):
    first = compared([counted()], folder=tmp_path)
    calls = counted.calls
    make_old(tmp_path)
    for seed in (0, None):
        with pytest.warns(SkactiveWarning, match="3 campaigns in .* without a digest") as caught:
            again = compared([counted()], folder=tmp_path, random_state=seed)
        assert len(caught) == 1
        assert scores_of(again) == scores_of(first)
    assert counted.calls == calls
    (tmp_path / "manifest.json").unlink()  # then nothing says which campaigns they are
    with pytest.warns(SkactiveWarning, match="3 files .*it has no digest"):
        compared([counted()], folder=tmp_path)
    assert counted.calls == 2 * calls


def test_ranges_of_scores():
    for scoring, bad in (("r2", 1.5), ("neg_log_loss", 0.5), ("f1_macro", -0.5)):
        low, high = find_score_range(scoring)
        assert not low <= bad <= high
    assert find_score_range("accuracy")[1] >= 1.0
    assert find_score_range("my_own.accuracy 1234") == find_score_range(None) == (-np.inf, np.inf)


def test_the_files_are_for_their_owner_only(tmp_path, compared):
    compared(folder=tmp_path)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}


def test_no_flipped_bit_goes_unnoticed():
    outcomes = campaign.run_campaign(n_flips=40, seed=1)
    assert outcomes["silent"] == outcomes["raw"] == 0
    assert outcomes["noticed"] + outcomes["harmless"] == 40
    assert outcomes["noticed"] > 32
