"""The data of a labeling project, read again to write them beside the labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from skactive._utils.fingerprint import describe_rows, digest
from skactive._utils.rows import n_rows, take_rows
from skactive.cli._errors import CommandError
from skactive.cli.projects._project import LabelingProject, read_project
from skactive.cli.projects._stored_project import StoredProject
from skactive.labeling._validation import check_ids
from skactive.labeling.exporting._content import Columns
from skactive.labeling.exporting._data import read_pool
from skactive.labeling.state._events import Ident

__all__ = ["ProjectData", "get_columns", "read_project_data"]


class ProjectData(NamedTuple):
    """The data of a project.

    Attributes
    ----------
    ids : list of str or int
        Ids of the rows.
    columns : dict of str to list
        Their columns.
    text : str or None
        Name of the column of texts.
    """

    ids: list[Ident]
    columns: Columns
    text: str | None


def read_project_data(stored: StoredProject, store: Path, path: Path | None) -> ProjectData:
    """Read the data of a project again.

    Parameters
    ----------
    stored : StoredProject
        What the store holds.
    store : Path
        Its file.
    path : Path or None
        The data; None takes the path that the store records.

    Raises
    ------
    CommandError
        If they cannot be read, or are not those that were labeled.
    """
    if stored.settings is None or stored.pool is None:
        raise CommandError(
            f"{store} was not created by skactive label, so its data are not known: export from "
            "Python, session.export(path, data=...)"
        )
    project = read_project({"resume": store, "file": path})
    try:
        ids = check_ids(project.source.ids, project.source.rows)
    except ValueError as error:
        raise CommandError(f"{project.path}: {error}") from error
    n = stored.pool["n_rows"]
    if not _is_pool(ids, project.source.rows, stored.pool):
        raise CommandError(
            f"{project.path} does not hold the {n:,} rows that {store} was created for"
        )
    source = project.source
    columns = {
        name: [*values[:n], *source.copy_columns.get(name, ())]
        for name, values in get_columns(project).items()
    }
    return ProjectData([*ids[:n], *source.copies], columns, project.settings["text"])


def get_columns(project: LabelingProject) -> Columns:
    """Return all columns of the data of a project."""
    source = project.source
    if source.columns:
        return dict(source.columns)
    if source.kind == "table":
        return read_pool(source.rows)
    return {project.settings["text"] if source.kind == "text" else "file": list(source.rows)}


def _is_pool(ids: list[Ident], rows: Any, pool: dict[str, Any]) -> bool:
    """Return whether the rows begin with the pool of a store; others may follow."""
    n = pool["n_rows"]
    if n_rows(rows) < n or digest(ids[:n]) != pool["ids"]:
        return False
    if n_rows(rows) > n:
        rows = take_rows(rows, list(range(n)))
    return bool(describe_rows(rows) == pool["rows"])
