"""Rows that were added, changed or removed since a store was opened last."""

from __future__ import annotations

from pathlib import Path

from skactive._utils.fingerprint import digest
from skactive._utils.text import pluralize
from skactive.cli._errors import CommandError
from skactive.cli.projects._project_options import format_resume_command
from skactive.cli.projects._recorded import Recorded
from skactive.cli.sources._cells import list_first
from skactive.cli.sources._data_source import DataSource

__all__ = ["check_files", "get_sizes", "note_new_rows"]


def note_new_rows(source: DataSource, recorded: Recorded) -> list[str]:
    """Return a line about rows that are not in the store yet."""
    n_new = len(source.rows) - recorded.n_rows
    if not recorded.n_rows or n_new <= 0:
        return []
    return [pluralize(n_new, "new row")]


def get_sizes(path: Path, source: DataSource) -> dict[str, int]:
    """Return the sizes of the files of a folder, by name; of a table, nothing."""
    if source.kind not in {"images", "audio"}:
        return {}
    return {name: (path / name).stat().st_size for name in source.rows}


def check_files(
    path: Path, source: DataSource, store: Path, recorded: Recorded, *, accept_changes: bool
) -> None:
    """Raise an error if files of a folder were removed or have changed; new ones are accepted.

    Parameters
    ----------
    path : Path
        The folder.
    source : DataSource
        Its present files.
    store : Path
        File of the labels.
    recorded : Recorded
        Facts of the store.
    accept_changes : bool
        Whether files may have changed.
    """
    sizes = get_sizes(path, source)
    if not recorded.sizes:
        _check_fingerprint(path, sizes, store, recorded)
        return
    gone = [name for name in recorded.sizes if name not in sizes]
    if gone:
        raise CommandError(
            f"files that {store} was created for are gone from {path}: {list_first(sorted(gone))}; "
            "restore them, or use another --store"
        )
    changed = [name for name, size in recorded.sizes.items() if sizes[name] != size]
    if changed and not accept_changes:
        resume = format_resume_command("label", store, "--accept-changes")
        raise CommandError(
            f"files of {path} have changed since {store} was created: "
            f"{list_first(sorted(changed))}; restore them, or accept the changes by {resume}"
        )


def _check_fingerprint(path: Path, sizes: dict[str, int], store: Path, recorded: Recorded) -> None:
    """Compare a folder with the fingerprint that stores of the first version hold."""
    fingerprint = (recorded.settings or {}).get("files")
    if fingerprint not in (None, digest([[name, size] for name, size in sizes.items()])):
        raise CommandError(
            f"the files of {path} are not those that {store} was created for: some have another "
            "name or size; restore them and continue, then add new files; or use another --store"
        )
