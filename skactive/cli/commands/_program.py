"""Python programs that reproduce the results of a command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

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
    data: Path,
    target: str,
    settings: dict[str, Any],
) -> str:
    """Return the program that compares the same strategies on the same table.

    Parameters
    ----------
    models : dict of str to Pipeline
        By their names on the command line.
    strategies : sequence of str
        Names of classes.
    data : Path
        An npz, csv or parquet file.
    target : str
        The column or array to predict.
    settings : dict
        Of `compare_strategies`.
    """
    imports = {
        "import numpy as np",
        "from skactive import ActiveLearner",
        "from skactive.comparison import compare_strategies",
        f"from skactive.strategies import {', '.join(sorted(strategies))}",
    }
    if data.suffix.lower() != ".npz":
        imports.add("import pandas as pd")
    learners = []
    for name, model in models.items():
        code, model_imports = _write_model(name, model)
        learners.append(f"        {name!r}: ActiveLearner({code}, classes=range(len(classes))),")
        imports |= model_imports
    return _PROGRAM.format(
        imports="\n".join(sorted(imports, key=lambda line: (line.startswith("from"), line))),
        data="\n".join(_write_reading(data, target)),
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


def _write_reading(path: Path, target: str) -> list[str]:
    """Return the lines that read the table."""
    if path.suffix.lower() == ".npz":
        return [
            f"stored = np.load({str(path)!r})",
            f"y = stored[{target!r}]",
            f"X = stored[{_find_rows_name(path, target)!r}].reshape(len(y), -1)",
            "X = X.astype(float)",
        ]
    kind = "parquet" if path.suffix.lower() == ".parquet" else "csv"
    return [
        f"frame = pd.read_{kind}({str(path)!r}).rename(columns=str)",
        f"y = frame.pop({target!r}).to_numpy()",
        "X = frame.to_numpy(dtype=float, na_value=np.nan)",
    ]


def _find_rows_name(path: Path, target: str) -> str:
    """Return the name of the array of rows in an npz file, as `read_table` finds it."""
    with np.load(path) as stored:
        names = [name for name in stored.files if name != target]
        return "X" if "X" in names else next(name for name in names if stored[name].ndim > 1)
