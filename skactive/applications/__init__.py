"""Applications: the one loop of all, and what differs from one to another.

An :class:`Application` states what is labeled, with which model, and which strategies compete. Each
folder of ``applications/`` in the repository has one, as code to start from: ``python
applications/sentiment/run.py``, or ``skactive demo --application sentiment``.
"""

from skactive.applications._application import Application, Sizes, Task, Variant
from skactive.applications._folders import find_applications
from skactive.applications._play import explain_batch, play
from skactive.applications._record import make_record
from skactive.applications._script import main

__all__ = [
    "Application",
    "Sizes",
    "Task",
    "Variant",
    "explain_batch",
    "find_applications",
    "main",
    "make_record",
    "play",
]
