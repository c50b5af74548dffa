"""The code of the page about people runs as it stands, block after block."""

import re
from pathlib import Path

PAGE = (Path(__file__).parents[1] / "docs" / "crowds.md").read_text(encoding="utf-8")


def test_the_blocks_run_and_show_what_the_text_says():
    names = {}
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.DOTALL | re.MULTILINE):
        exec(compile(block, "crowds.md", "exec"), names)
    truth = names["truth"]
    votes, crowd, together = (names[name] for name in ("votes", "crowd", "together"))
    assert crowd.annotator_accuracy_.argmin() == 2
    right = [(model.labels_ == truth).mean() for model in (votes, crowd, together)]
    assert right == sorted(right)
    wrong = together.labels_ != truth
    assert wrong[names["quality"].suspects_].mean() > 5 * wrong.mean()
    assert names["lab"].cost_ > 0
    router, answered = names["router"], names["answered"]
    by_model = answered.sources == 0
    assert (answered.labels != truth[300:])[by_model].sum() <= 0.05 * len(truth[300:])
    assert router.certificate_.n_accepted == by_model.sum()
