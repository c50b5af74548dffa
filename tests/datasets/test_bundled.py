import pytest

from skactive.datasets import find_bundled


def test_unknown_names_list_those_that_exist():
    with pytest.raises(FileNotFoundError, match="no bundled data named 'mnits': choose one of"):
        find_bundled("mnits")
