import gzip
import json

import pytest

from skactive.datasets import read_conll, read_tagged_json


def write(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_sentences_are_apart_by_blank_lines(tmp_path):
    path = write(tmp_path / "a.conll", "\nAda\tB-person\nsleeps\tO\n\n\n \nRome\tB-location\n\n")
    sentences, tags = read_conll(path)
    assert sentences == [["Ada", "sleeps"], ["Rome"]]
    assert tags == [["B-person", "O"], ["B-location"]]


def test_any_columns_of_conll_2003_are_read_without_its_document_lines(tmp_path):
    text = "-DOCSTART-\n\nU.N. NNP I-NP I-ORG\nofficial NN I-NP O\n-DOCSTART- -X- -X- O\n"
    path = write(tmp_path / "eng.train", text)
    assert read_conll(path).tags == [["I-ORG", "O"]]
    assert read_conll(path, tag=1).tags == [["NNP", "NN"]]


def test_words_that_begin_with_a_hash_are_no_comments(tmp_path):
    tabs = write(tmp_path / "tabs", "# newdoc id = 7\n#Rome\tO\n#\tO\n# \tO\n# text = hi\n")
    assert read_conll(tabs).sentences == [["#Rome", "#", "# "]]
    blanks = write(tmp_path / "blanks", "# O\nRome B-location\n")
    assert read_conll(blanks).sentences == [["#", "Rome"]]
    undecided = write(tmp_path / "undecided", "# text = hi\nRome B-location\n")
    with pytest.raises(ValueError, match=r"line 2 .* must have 4 columns.*stated by comment="):
        read_conll(undecided)


def test_stated_comments_are_left_out(tmp_path):
    path = write(tmp_path / "a", "# id 5239d808-f300\tdomain=en\nRome _ _ B-LOC\n")
    assert read_conll(path, comment="# id").sentences == [["Rome"]]


def test_universal_dependencies_are_read_without_joined_and_empty_tokens(tmp_path):
    rest = "\t_" * 6
    text = (
        "# text = don't\n1-2\tdon't\t_\t_" + rest + "\n1\tdo\tdo\tAUX" + rest + "\n"
        "2\tn't\tnot\tPART" + rest + "\n2.1\tgo\tgo\tVERB" + rest + "\n"
    )
    sentences, tags = read_conll(write(tmp_path / "a.conllu", text), word=1, tag=3)
    assert (sentences, tags) == ([["do", "n't"]], [["AUX", "PART"]])


def test_compressed_files_byte_order_marks_and_carriage_returns_are_read(tmp_path):
    path = tmp_path / "a.conll.gz"
    path.write_bytes(
        gzip.compress(b"\xef\xbb\xbfZ\xc3\xbcrich\tB-location\r\n\r\nhm\tO\r\n", mtime=0)
    )
    assert read_conll(path).sentences == [["Zürich"], ["hm"]]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ada\tO\nsleeps\n", "line 2 of .*bad must have 2 columns, as the first word has, got 1"),
        ("Ada\tO\nsleeps\tO\tO\n", "line 2 of .* got 3"),
        ("Ada\tO\n\tO\n", "the word on line 2 of .* is empty"),
        ("Ada\tO\nsleeps\t\n", "the tag on line 2 of .* is empty"),
        ("\n\n", "must have a sentence or more, got none"),
        (b"Ada\tO\nZ\xfcrich\tO\n", "line 2 of .* is not in UTF-8"),
    ],
    ids=["too_few", "too_many", "no_word", "no_tag", "nothing", "latin_1"],
)
def test_damaged_files_are_refused_with_the_line(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        read_conll(write(tmp_path / "bad", text))


def test_a_column_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"tag=3 is no column of .*: line 1 has 2, from 0"):
        read_conll(write(tmp_path / "a", "Ada\tO\n"), tag=3)


def test_truncated_compressed_files_are_refused(tmp_path):
    whole = gzip.compress(b"Ada\tO\n" * 1000, mtime=0)
    with pytest.raises(ValueError, match="is damaged"):
        read_conll(write(tmp_path / "a.gz", whole[:-20]))


def test_lines_of_json_are_read(tmp_path):
    rows = [{"ner": ["B-person", "O"], "words": ["Ada", "sleeps"]}, {"ner": [], "words": []}]
    path = write(tmp_path / "a.jsonl", "\n".join(map(json.dumps, rows)))
    assert read_tagged_json(path, words="words", tags="ner") == (
        [["Ada", "sleeps"]],
        [rows[0]["ner"]],
    )


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"tokens": ["Ada"], "tags": ["O", "O"]}', "line 2 of .* got 1 words and 2 tags"),
        ('{"tokens": ["Ada"]}', "line 2 of .* has no 'tags': its columns are 'tokens'"),
        ('{"tokens": ["Ada"], "tags": [3]}', "'tags' on line 2 of .* must be a list of texts"),
        ('{"tokens": "Ada", "tags": ["O"]}', "'tokens' on line 2 of .* must be a list of texts"),
        ('{"tokens": ["Ada"], "tags": ["O"]', "line 2 of .* is no JSON"),
        ('["Ada"]', "line 2 of .* must be an object"),
    ],
    ids=["lengths", "column", "numbers", "text", "cut", "list"],
)
def test_damaged_lines_of_json_are_refused(tmp_path, line, message):
    first = '{"tokens": ["Ada"], "tags": ["O"]}\n'
    with pytest.raises(ValueError, match=message):
        read_tagged_json(write(tmp_path / "a.jsonl", first + line))
