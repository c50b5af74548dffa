"""The program in the report: public names only. That it gives the same is in test_compare."""

import ast

import pytest
from sklearn.datasets import make_blobs

from skactive.cli.commands._program import write_program
from skactive.cli.learners._models import ESTIMATORS, make_estimator

X, Y = make_blobs(n_samples=30, centers=3, random_state=0)


@pytest.mark.parametrize("estimator", sorted(ESTIMATORS))
def test_it_imports_and_names_nothing_private(estimator):
    if estimator == "mlp":
        pytest.importorskip("torch")
        pytest.importorskip("skorch")
    models = {estimator: make_estimator(estimator, X, Y)}
    program = write_program(models, ["Random"], ["frame = pd.DataFrame()"], {"budget": 20})
    names = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.ImportFrom):
            names |= {*node.module.split("."), *(alias.name for alias in node.names)}
        if isinstance(node, ast.Name):
            names.add(node.id)
        if isinstance(node, ast.Attribute):
            names.add(node.attr)
    assert "compare_strategies" in names
    assert not {name for name in names if name.startswith("_")}
