import gzip
import json

import numpy as np
import pytest

from skactive.datasets import read_split_texts, read_texts

ROWS = [('Say "yes", please', "a"), ("two\nlines", "b"), ("", "a"), ("NA", "0"), (" blanks ", "b")]


def write_csv(path, separator=","):
    cells = [(text.replace('"', '""'), label) for text, label in [("text", "label"), *ROWS]]
    path.write_text("\n".join(f'"{text}"{separator}"{label}"' for text, label in cells))
    return path


def write_json_lines(path, rows=ROWS):
    lines = (json.dumps({"text": text, "label": label}) for text, label in rows)
    path.write_text("\n\n".join(lines) + "\n")
    return path


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl", "rows.NDJSON"])
@pytest.mark.parametrize("compressed", [False, True])
def test_each_format_gives_texts_exactly_as_written(tmp_path, name, compressed):
    path = tmp_path / name
    if name.endswith("sv"):
        write_csv(path, "," if name.endswith("csv") else "\t")
    else:
        write_json_lines(path)
    if compressed:
        content, path = path.read_bytes(), tmp_path / f"{name}.gz"
        path.write_bytes(gzip.compress(content, mtime=0))
    texts, labels = read_texts(path)
    assert texts.tolist() == [text for text, _ in ROWS]
    assert labels.tolist() == [label for _, label in ROWS]


def test_byte_order_marks_and_other_columns_do_not_matter(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"\xef\xbb\xbfid,body,topic\r\n1,hello,x\r\n\r\n2,goodbye,y\r\n")
    texts, labels = read_texts(path, text="body", target="topic")
    assert (texts.tolist(), labels.tolist()) == (["hello", "goodbye"], ["x", "y"])


def test_numbers_are_labels_as_they_are_written(tmp_path):
    path = write_json_lines(tmp_path / "rows.jsonl", [("one", 1), ("two", 2)])
    assert read_texts(path).labels.tolist() == ["1", "2"]


def test_quotation_marks_belong_to_the_texts_on_request(tmp_path):
    path = tmp_path / "rows.tsv"
    path.write_text('text\tlabel\n"a" film\t1\n" alone\t0\n')
    assert read_texts(path, quoted=False).texts.tolist() == ['"a" film', '" alone']
    with pytest.raises(ValueError, match=r"line 2 of .*rows.tsv is damaged.*pass quoted=False"):
        read_texts(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text,label\none,1\ntwo\n", "line 3 of .* each of the 2 columns, got 1"),
        ("a.csv", "text,text,label\n", "line 1 of .* must name each column once"),
        ("a.csv", 'text,label\n"one,1\ntwo,2\n', "line 3 of .* is damaged: unexpected end"),
        ("a.csv", "words,label\none,1\n", r"no column 'text': its columns are 'words', 'label'"),
        ("a.csv", "text,label\none,\n", "'label' on line 2 .* must be a label"),
        ("a.csv", "text,label\n", "must have a row or more"),
        ("a.csv", "", "must have a row or more"),
        ("a.tsv", 'text\tlabel\n"one\t1\ntwo"\t2\n', "ends on line 3 .* contains a tab: two rows"),
        ("a.jsonl", '{"text": "one", "label": 1}\n{"text": ', "line 2 of .* is no JSON"),
        ("a.jsonl", '["one", 1]\n', "line 1 of .* must be an object"),
        ("a.jsonl", '{"text": "one"}\n', "line 1 of .* has no column 'label'"),
        ("a.jsonl", '{"text": "one", "label": null}\n', "'label' on line 1 .* got None"),
        ("a.jsonl", '{"text": "one", "label": NaN}\n', "'label' on line 1 .* got nan"),
        ("a.jsonl", '{"text": 1, "label": 1}\n', "'text' on line 1 .* must be a text, got 1"),
        ("a.xml", "<text/>", r"must be one of \.csv"),
    ],
)
def test_damaged_tables_are_refused_with_file_and_line(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_texts(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "text,label\ncafé,1\n".encode("latin-1")),
        ("a.csv.gz", gzip.compress(b"text,label\n" + b"one,1\n" * 5000, mtime=0)[:-20]),
        ("a.csv.gz", b"text,label\none,1\n"),
    ],
)
def test_other_encodings_and_cut_files_are_refused(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{name} is damaged or not in UTF-8"):
        read_texts(path)


def test_files_that_are_missing_are_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.csv"):
        read_texts(tmp_path / "none.csv")


def test_a_folder_or_the_name_of_its_set_gives_both_parts(tmp_path):
    write_json_lines(tmp_path / "news.train5k.jsonl", [("one", 1), ("two", 2)])
    write_json_lines(tmp_path / "news.test.jsonl", [("three", 1)])
    write_json_lines(tmp_path / "news.dev.jsonl", [("four", 1)])
    for path in (tmp_path, tmp_path / "news"):
        train, test = read_split_texts(path)
        assert (train.texts.tolist(), test.texts.tolist()) == (["one", "two"], ["three"])


def test_several_sets_in_a_folder_have_to_be_chosen_from(tmp_path):
    for name in ("train", "test"):
        write_json_lines(tmp_path / f"{name}.jsonl", [(name, 1)])
    assert read_split_texts(tmp_path)[1].texts.tolist() == ["test"]
    write_json_lines(tmp_path / "films.jsonl", [("film", 1)] * 8)
    with pytest.raises(ValueError, match=r"several sets of texts: choose one of .*films"):
        read_split_texts(tmp_path)
    assert read_split_texts(tmp_path / "films")[0].texts.tolist() == ["film"] * 6


@pytest.mark.parametrize("names", [["a.train.csv"], ["a.train.csv", "a.train.tsv", "a.test.csv"]])
def test_parts_that_are_missing_or_there_twice_are_refused(tmp_path, names):
    for name in names:
        (tmp_path / name).write_text("text,label\n")
    with pytest.raises(FileNotFoundError, match=rf"found {', '.join(sorted(names))}"):
        read_split_texts(tmp_path)


def test_a_single_file_is_divided_by_the_seed(tmp_path):
    path = write_json_lines(tmp_path / "rows.jsonl", [(str(i), i % 2) for i in range(20)])
    train, test = read_split_texts(path, test_share=0.2)
    assert (len(train.texts), len(test.texts)) == (16, 4)
    assert sorted(map(int, [*train.texts, *test.texts])) == list(range(20))
    assert all(
        int(text) % 2 == int(label)
        for part in (train, test)
        for text, label in zip(*part, strict=True)
    )
    assert np.array_equal(test.texts, read_split_texts(path, test_share=0.2)[1].texts)
    assert not np.array_equal(test.texts, read_split_texts(path, test_share=0.2, random_state=1)[1])
