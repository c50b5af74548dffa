"""Files to write: their folders must exist."""

import pytest

from skactive.cli._errors import CommandError
from skactive.cli._paths import check_parent


def test_a_folder_that_does_not_exist(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_parent(tmp_path / "new.csv")
    check_parent((tmp_path / "new.csv").relative_to(tmp_path))
    with pytest.raises(CommandError, match=r"folder not found: .*none; create it first, for a.csv"):
        check_parent(tmp_path / "none" / "a.csv")
