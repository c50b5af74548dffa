"""Open the files that power losses may leave while two processes label.

    python tests/campaigns/power_loss.py [--images 200] [--answers 150] [--seed 0]

strace records what the processes write, and when they wait for the disk. From this follow the files
after a power loss at any moment: what was synced is there; each later write is there, absent, or
there in some sectors only; names that were made or removed since the folder was synced are there or
not. A session on them must have all answers that were acknowledged before that moment.
"""

import json
import os
import random
import re
import shutil
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from _stores import Tally, get_truth, open_folder, open_session, parse_options, read_status

CALLS = "pwrite64,write,ftruncate,fsync,fdatasync,unlink,openat,link,rename"
SECTOR = 512
N_PROCESSES = 2


# Recording --------------------------------------------------------------------------------------


class Call(NamedTuple):
    """A call of the system that matters: its name, the file, and what it needs besides."""

    name: str
    path: str
    content: bytes = b""
    number: int = 0  # an offset, or a size
    to: str = ""


def record(folder, n_answers, seed):
    """Return the calls of processes that label, in order."""
    open_session(folder / "labels.db").close()
    trace, before = folder / "trace", (folder / "labels.db").read_bytes()
    command = ["strace", "-f", "-y", "-xx", "-s", "70000", "-e", f"trace={CALLS}", "-o", trace]
    work = [sys.executable, __file__, "--worker", folder, str(n_answers), str(seed)]
    subprocess.run([*command, *work], check=True)
    return list(parse_trace(trace, folder)), before


def work(folder, n_answers, seed):
    """Label in several processes; each writes an answer to a file once it is acknowledged."""
    children = [os.fork() for _ in range(N_PROCESSES - 1)]
    name = f"person {len([child for child in children if child])}"
    rng = random.Random(f"{name} {seed}")
    notes = os.open(folder / "acknowledged", os.O_CREAT | os.O_APPEND | os.O_WRONLY)
    session, n = open_session(folder / "labels.db"), 0
    while n < n_answers // N_PROCESSES and (batch := session.next_batch(rng.randint(1, 8), name)):
        half = rng.randint(0, len(batch))
        for rows in (batch.ids[:half], batch.ids[half:]):
            session.submit({row: get_truth(row) for row in rows}, annotator=name)
            os.write(notes, json.dumps([name, rows]).encode() + b"\n")
            n += len(rows)
        if rng.random() < 0.1:  # the journal is removed and made again
            session.close()
            session = open_session(folder / "labels.db")
    session.close()
    for child in children:
        if child and os.waitpid(child, 0)[1]:
            raise RuntimeError("a worker failed")


def parse_trace(trace, folder):
    """Yield the calls about files of the folder, each when it began; syncs when they ended."""
    started = {}
    for line in trace.read_text().splitlines():
        process, text = line.split(maxsplit=1)
        if text.startswith("<... "):
            name, result = text.split()[1], text.rpartition(" = ")[2]
            begun, is_waiting = started.pop((process, name), (None, False))
            if is_waiting and result.startswith("0"):
                yield begun
            continue
        is_unfinished = text.endswith("<unfinished ...>")
        call = parse_call(text)
        if call is None or not call.path.startswith(str(folder)):
            continue
        is_sync = call.name == "sync"
        if is_unfinished:
            started[process, text.partition("(")[0]] = call, is_sync
        if not (is_unfinished and is_sync) and " = -1 " not in text:
            yield call


def parse_call(text):
    """Return a call of a line; None if it is another one."""
    name, _, arguments = text.partition("(")
    strings = [bytes.fromhex(s.replace("\\x", "")) for s in re.findall(r'"([^"]*)"', arguments)]
    opened = re.match(r"\d+<([^>]*)>", arguments)
    path = bytes.fromhex(opened[1].replace("\\x", "")).decode() if opened else ""
    numbers = re.findall(r", (\d+)", arguments)
    match name:
        case "pwrite64":
            return Call("write", path, strings[0], int(numbers[1]))
        case "write":
            return Call("append", path, strings[0])
        case "ftruncate":
            return Call("truncate", path, number=int(numbers[0]))
        case "fsync" | "fdatasync":
            return Call("sync", path)
        case "unlink":
            return Call("unlink", strings[0].decode())
        case "link" | "rename":
            return Call(name, strings[0].decode(), to=strings[1].decode())
        case "openat" if "O_CREAT" in arguments:
            return Call("create", strings[0].decode())
    return None


# Losing power -----------------------------------------------------------------------------------


class File:
    """The content of a file that was synced, and the calls since then."""

    def __init__(self, content=b""):
        self.synced, self.pending = bytearray(content), []

    def sync(self):
        for call in self.pending:
            apply(self.synced, call)
        self.pending = []

    def lose_power(self, rng):
        """Return the content after a power loss."""
        content, share = bytearray(self.synced), rng.choice([0, 0.5, 0.9, 1])
        for call in self.pending:
            fate = rng.random()
            if fate < share:
                apply(content, call)
            elif call.name == "write" and fate < share + (1 - share) / 2:
                for start in range(0, len(call.content), SECTOR):
                    if rng.random() < 0.5:
                        part = call.content[start : start + SECTOR]
                        apply(content, call._replace(content=part, number=call.number + start))
            elif call.name == "write" and rng.random() < 0.3:  # the size alone
                content.extend(bytes(max(0, call.number + len(call.content) - len(content))))
        return bytes(content)


def apply(content, call):
    """Change the content of a file."""
    size = call.number if call.name == "truncate" else call.number + len(call.content)
    content.extend(bytes(max(0, size - len(content))))
    if call.name == "truncate":
        del content[size:]
    else:
        content[call.number : size] = call.content


class Disk:
    """The files of a folder, and which of their names were synced."""

    def __init__(self, folder, files):
        self._folder = str(folder)
        self._names, self._pending = dict(files), []
        self._synced_names = dict(files)

    def apply(self, call):
        """Apply a call."""
        if call.name == "create" and call.path not in self._names:
            self._rename(call.path, File())
        elif call.name == "unlink":
            self._rename(call.path, None)
        elif call.name in {"link", "rename"}:
            self._rename(call.to, self._names.get(call.path))
        elif call.name == "sync" and call.path == self._folder:
            self._synced_names, self._pending = dict(self._names), []
        elif (file := self._names.get(call.path)) is not None:
            if call.name == "sync":
                file.sync()
            elif call.name in {"write", "truncate"}:
                file.pending.append(call)

    def _rename(self, path, file):
        self._pending.append((path, file))
        self._set(self._names, path, file)

    @staticmethod
    def _set(names, path, file):
        names.pop(path, None)
        if file is not None:
            names[path] = file

    def lose_power(self, rng):
        """Return the contents of the files after a power loss, by path."""
        names, share = dict(self._synced_names), rng.choice([0, 0.5, 1])
        for path, file in self._pending:
            if rng.random() < share:
                self._set(names, path, file)
        return {path: file.lose_power(rng) for path, file in names.items()}


# Judging ----------------------------------------------------------------------------------------


def write_image(folder, files):
    """Write files into an empty folder, and return the path of the store."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for path, content in files.items():
        (folder / Path(path).name).write_bytes(content)
    return folder / "labels.db"


def judge_image(path, acknowledged):
    """Open a store as ``status`` and as a session do; return the outcome and a description."""
    try:
        n_labeled = read_status(path)["n_labeled"]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            session = open_session(path)
        found = {(r["annotator"], r["id"]): r["label"] for r in session.records()}
        session.close()
    except OSError as error:  # a StoreError: all has to be readable
        return "lost", f"{error!r}"
    except Exception as error:
        return "raw", f"{error!r}"
    missing = [one for one in acknowledged if one not in found]
    wrong = [one for one, label in found.items() if label != get_truth(one[1])]
    if missing or n_labeled < len(acknowledged):
        return "lost", f"{len(missing)} answers are missing, status counts {n_labeled}"
    return ("silent", f"{wrong} have other labels") if wrong else ("harmless", "")


def run_campaign(n_images, n_answers, seed):
    """Lose power at random moments of one recording."""
    rng, tally = random.Random(seed), Tally("power loss")
    with open_folder() as folder:
        calls, before = record(folder, n_answers, seed)
        disk = Disk(folder, {str(folder / "labels.db"): File(before)})
        moments = Counter(rng.choices(range(len(calls)), k=n_images))
        acknowledged, n_hot = [], 0
        for number, call in enumerate(calls):
            for _ in range(moments[number]):
                files = disk.lose_power(rng)
                n_hot += any(files.get(str(folder / "labels.db-journal"), b"")[:8])
                path = write_image(folder / "image", files)
                outcome, description = judge_image(path, acknowledged)
                tally.add(outcome, f"before call {number}, {description}")
            disk.apply(call)
            if call.name == "append" and call.path == str(folder / "acknowledged"):
                name, rows = json.loads(call.content)
                acknowledged += [(name, row) for row in rows]
    tally.report(n_images, hot_journals=n_hot, calls=len(calls), answers=len(acknowledged))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--worker"]:
        work(Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]))
    else:
        options = parse_options(__doc__, images=200, answers=150)
        run_campaign(options.images, options.answers, options.seed)
