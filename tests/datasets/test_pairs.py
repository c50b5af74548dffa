import gzip

import pytest

from skactive.datasets import read_pairs


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_columns_between_tabs_are_read(tmp_path):
    path = write(
        tmp_path / "a.tsv", "a dog\tein Hund\tun chien\r\n\r\na cat\teine Katze\tun chat\n"
    )
    assert read_pairs(path) == (["a dog", "a cat"], ["ein Hund", "eine Katze"])
    assert read_pairs(path, columns=(2, 0)).sources == ["un chien", "un chat"]


def test_parallel_files_are_read_line_by_line(tmp_path):
    english = write(tmp_path / "a.en", "a dog\n\na cat\n")
    german = write(tmp_path / "a.de", "ein Hund\n\neine Katze")
    assert read_pairs(english, german) == (["a dog", "a cat"], ["ein Hund", "eine Katze"])


def test_columns_of_compressed_json_are_read(tmp_path):
    line = '{"en": "a bush", "de": "ein B\\u00fcschel"}\n'
    path = write(tmp_path / "a.jsonl.gz", gzip.compress(line.encode(), mtime=0))
    assert read_pairs(path, columns=("de", "en")) == (["ein Büschel"], ["a bush"])
    with pytest.raises(ValueError, match="has named columns: pass columns="):
        read_pairs(path)


def test_parallel_files_of_different_lengths_are_refused(tmp_path):
    longer, shorter = write(tmp_path / "a.en", "a\nb\nc\n"), write(tmp_path / "a.de", "a\nb\n")
    for first, second, counts in ((longer, shorter, "3.*2"), (shorter, longer, "2.*3")):
        with pytest.raises(ValueError, match=f"has {counts.replace('.*', ' lines and .* has ')}"):
            read_pairs(first, second)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.tsv", "a\tb\nc\n", "line 2 of .* must have 2 columns between tabs, got 1"),
        ("a.tsv", "a\tb\nc\td\te\n", "line 2 of .* must have 2 columns between tabs, got 3"),
        ("a.tsv", "a b\n", "line 1 of .* must have 2 columns between tabs, got 1"),
        ("a.tsv", "a\tb\n\td\n", "the source on line 2 of .* is empty"),
        ("a.tsv", "a\t \n", "the target on line 1 of .* is empty"),
        ("a.tsv", "\n", "must have a pair of texts or more, got none"),
        ("a.tsv", b"a\tb\nz\xfc\tb\n", "line 2 of .* is not in UTF-8"),
        ("a.jsonl", '{"en": "a"}', "line 1 of .* has no 'de': its columns are 'en'"),
        ("a.jsonl", '{"en": "a", "de": 3}', "'de' on line 1 of .* must be a text, got 3"),
    ],
    ids=["few", "many", "one", "source", "target", "nothing", "latin_1", "column", "number"],
)
def test_damaged_files_are_refused_with_the_line(tmp_path, name, text, message):
    columns = ("en", "de") if name.endswith("jsonl") else None
    with pytest.raises(ValueError, match=message):
        read_pairs(write(tmp_path / name, text), columns=columns)
