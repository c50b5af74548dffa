"""The code of one application, imported as its ``run.py`` is when it runs as a script."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from importlib import import_module

from skactive.applications import find_applications


@contextmanager
def application_code(name):
    """Yield a function that imports a module of the application; forget them all afterwards.

    Applications have modules of the same names ("model", "run"), and import each other's by these.
    """
    folder = find_applications()[name]
    modules = [path.stem for path in folder.glob("*.py")]
    sys.path.insert(0, str(folder))
    try:
        yield import_module
    finally:
        sys.path.remove(str(folder))
        for module in modules:
            sys.modules.pop(module, None)
