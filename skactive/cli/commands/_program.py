"""Python programs that reproduce the results of a command."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

__all__ = ["write_program"]

_PROGRAM = """\
{imports}

{data}
classes, y = np.unique(y, return_inverse=True)
{nets}comparison = compare_strategies(
    {{
{learners}
    }},
    {{{strategies}}},
    X,
    y,
{settings}
)
print(comparison.summary())"""

# The net of skactive.cli.learners._models, written out: a test runs it and compares the scores.
_NET = """\


def make_module(n_features, n_classes):
    return nn.Sequential(
        nn.Linear(n_features, 128), nn.ReLU(), nn.Dropout(0.25), nn.Linear(128, n_classes)
    )


def to_single_precision(X):
    return X.astype(np.float32)


torch.set_num_threads(1)  # nets this small lose time to threads
net = NeuralNetClassifier(
    make_module,
    module__n_features=X.shape[1],
    module__n_classes=len(classes),
    criterion=nn.CrossEntropyLoss,
    optimizer=torch.optim.Adam,
    lr=0.005,
    max_epochs=40,
    batch_size=32,
    iterator_valid__batch_size=1024,
    train_split=None,
    verbose=0,
)
mlp = make_pipeline(FunctionTransformer(to_single_precision), net)
"""
_NET_IMPORTS = {
    "import torch",
    "from skorch import NeuralNetClassifier",
    "from sklearn.preprocessing import FunctionTransformer",
    "from torch import nn",
}


def write_program(
    models: dict[str, Any],
    strategies: Sequence[str],
    reading: Sequence[str],
    settings: dict[str, Any],
) -> str:
    """Return the program that compares the same strategies on the same table.

    Parameters
    ----------
    models : dict of str to Pipeline
        By their names on the command line.
    strategies : sequence of str
        Names of classes.
    reading : sequence of str
        Lines that make ``X`` and ``y``.
    settings : dict
        Of `compare_strategies`.
    """
    imports = {
        "import numpy as np",
        "from skactive import ActiveLearner",
        "from skactive.comparison import compare_strategies",
        f"from skactive.strategies import {', '.join(sorted(strategies))}",
    }
    if any("pd." in line for line in reading):
        imports.add("import pandas as pd")
    learners = []
    for name, model in models.items():
        code, model_imports = _write_model(name, model)
        learners.append(f"        {name!r}: ActiveLearner({code}, classes=range(len(classes))),")
        imports |= model_imports
    return _PROGRAM.format(
        imports="\n".join(sorted(imports, key=lambda line: (line.startswith("from"), line))),
        data="\n".join(reading),
        nets=f"{_NET}\n" if "mlp" in models else "",
        learners="\n".join(learners),
        strategies=", ".join(f"{name!r}: {name}()" for name in strategies),
        settings="\n".join(f"    {name}={value!r}," for name, value in settings.items()),
    )


def _write_model(name: str, pipeline: Any) -> tuple[str, set[str]]:
    """Return the expression that makes a model, and the imports that it needs."""
    steps = [step for _, step in pipeline.steps]
    codes = [" ".join(repr(step).split()) for step in steps]
    imports = {"from sklearn.pipeline import make_pipeline"}
    if name == "mlp":  # its code stands above
        *steps, _ = steps
        codes[-1] = "mlp"
        imports |= _NET_IMPORTS
    for step in steps:
        package = ".".join(type(step).__module__.split(".")[:2])  # the public one
        imports.add(f"from {package} import {type(step).__name__}")
    return f"make_pipeline({', '.join(codes)})", imports
