"""Count the words that keep readers out, and print where they stand.

    python tools/words.py            counts, and the places to look at
    python tools/words.py --counts   counts only

It looks for functions named by a single past participle (`_checked`: a verb says more), docstrings
that begin with What, Tell or Say, module-level names defined in several files, and British spelling
in identifiers. These are places to look at, not verdicts. It fails only where text that users read
(the README, the guide, the API reference, notebooks, generated code, cross-references) names a
private module.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PUBLIC_TEXT = ("README.md", "CHANGELOG.md", "docs/*.md", "docs/api/*.rst", "notebooks/*.ipynb")
NOT_FOR_USERS = {"design.md"}  # describes the private modules
ENGINES = (
    "skactive/selectors/_engine",
    "skactive/adapters",
    "skactive/strategies/_lookahead.py",
    "skactive/strategies/_softmax_layer.py",
)

IRREGULAR = set(
    """
    begun bought built chosen cut done drawn found given gone held hidden kept known laid left
    lost made met said seen sent shown spread taken told worn written
    """.split()  # noqa: SIM905 (words read better as words)
)
# Nouns, adjectives and verbs that only look like participles.
NOT_PARTICIPLES = set(
    """
    bed embed exceed feed fixed need proceed red seed shed speed
    """.split()  # noqa: SIM905
)
BRITISH = re.compile(
    r"centre|colour|labell|neighbour|behaviour|normalis|optimis|favour|grey|learnt"
)
PRIVATE_MODULE = re.compile(r"\bskactive(?:\.[a-z]\w*)*\._[a-z]\w*")

Place = tuple[Path, int, str]


def main(arguments: list[str] | None = None) -> int:
    """Print the counts and the places, and return 1 where public text names a private module."""
    parser = argparse.ArgumentParser(description="Count words that keep readers out.")
    parser.add_argument("--counts", action="store_true", help="print no places")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to read")
    options = parser.parse_args(arguments)
    root = options.root
    trees = parse_package(root)
    findings = {
        "functions named by a past participle": list(find_participles(trees)),
        "docstrings that begin with What, Tell or Say": list(find_sayings(trees)),
        "module-level names defined in several files": list(find_shared_names(trees)),
        "British spelling in identifiers": list(find_british_identifiers(trees)),
    }
    private = list(find_private_modules(root, trees))
    totals = count_names(trees)
    for title, places in (*findings.items(), ("private modules in public text", private)):
        total = totals.get(title)
        share = f" of {total} ({len(places) / max(1, total):.1%})" if total else ""
        print(f"{title}: {len(places)}{share}")
        for path, line, text in () if options.counts else places:
            print(f"  {path.relative_to(root)}:{line}: {text}")
    for engine in ENGINES:
        print(f"comment lines of {engine}: {comment_share(root / engine):.1%}")
    return 1 if private else 0


def parse_package(root: Path) -> dict[Path, ast.Module]:
    """Return the syntax trees of the package's modules."""
    paths = sorted(root.glob("skactive/**/*.py"))
    return {path: ast.parse(path.read_text("utf-8")) for path in paths}


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Iterate over the functions and methods of a module, in any depth."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def docstrings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Iterate over the docstrings of a module, with the lines of what they describe."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            text = ast.get_docstring(node)
            if text:
                yield getattr(node, "lineno", 1), text


def module_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Iterate over the names that a module defines at its top level, dunders apart."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for target in targets:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name) and not name.id.startswith("__"):
                        yield name.id, node.lineno


def find_participles(trees: dict[Path, ast.Module]) -> Iterator[Place]:
    """Find functions whose name is one past participle; properties are nouns or adjectives."""
    for path, tree in trees.items():
        for node in functions(tree):
            if any("property" in ast.unparse(decorator) for decorator in node.decorator_list):
                continue
            word = node.name.strip("_")
            if word in IRREGULAR or (
                re.fullmatch("[a-z]+ed", word) and word not in NOT_PARTICIPLES
            ):
                yield path, node.lineno, node.name


def find_sayings(trees: dict[Path, ast.Module]) -> Iterator[Place]:
    """Find docstrings that begin with What, Tell or Say."""
    for path, tree in trees.items():
        for line, text in docstrings(tree):
            if re.match(r"(What|Tell|Say)\b", text):
                yield path, line, text.splitlines()[0]


def find_shared_names(trees: dict[Path, ast.Module]) -> Iterator[Place]:
    """Find module-level names that several files define, each at its later definitions."""
    homes = defaultdict(list)
    for path, tree in trees.items():
        for name, line in dict(module_names(tree)).items():
            homes[name].append((path, line))
    for name, places in sorted(homes.items()):
        if len(places) > 1:
            path, line = places[1]
            yield path, line, f"{name}, also in {', '.join(p.stem for p, _ in places if p != path)}"


def find_british_identifiers(trees: dict[Path, ast.Module]) -> Iterator[Place]:
    """Find names of functions, classes, arguments and variables in British spelling."""
    for path, tree in trees.items():
        for node in ast.walk(tree):
            name = (
                getattr(node, "name", None) or getattr(node, "arg", None) or getattr(node, "id", "")
            )
            if isinstance(name, str) and BRITISH.search(name.lower()):
                yield path, getattr(node, "lineno", 1), name


def find_private_modules(root: Path, trees: dict[Path, ast.Module]) -> Iterator[Place]:
    """Find private modules that text for users names."""
    for pattern in PUBLIC_TEXT:
        for path in sorted(root.glob(pattern)):
            if path.name not in NOT_FOR_USERS:
                for number, line in enumerate(public_lines(path), start=1):
                    for match in PRIVATE_MODULE.finditer(line):
                        yield path, number, match[0]
    for path, tree in trees.items():
        for line, text in docstrings(tree):
            for match in re.finditer(r":\w+:`~?([^`]*)`", text):
                if PRIVATE_MODULE.search(match[1]):
                    yield path, line, match[0]
        yield from ((path, line, text) for line, text in private_imports_in_strings(tree))


def public_lines(path: Path) -> list[str]:
    """Return the lines of a file that users read; of a notebook, the sources of its cells."""
    text = path.read_text("utf-8")
    if path.suffix != ".ipynb":
        return text.splitlines()
    return [line for cell in json.loads(text)["cells"] for line in cell["source"]]


def private_imports_in_strings(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find imports of private modules in strings of the code: in generated programs."""
    documented = {text for _, text in docstrings(tree)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            match = re.search(rf"(?:from|import) ({PRIVATE_MODULE.pattern})", node.value)
            if match and not any(node.value.strip().startswith(d[:20]) for d in documented):
                yield node.lineno, match[0]


def count_names(trees: dict[Path, ast.Module]) -> dict[str, int]:
    """Count the names, per title, among which the findings are."""
    names = Counter(name for tree in trees.values() for name, _ in set(module_names(tree)))
    return {
        "functions named by a past participle": sum(
            1 for t in trees.values() for _ in functions(t)
        ),
        "docstrings that begin with What, Tell or Say": sum(
            1 for tree in trees.values() for _ in docstrings(tree)
        ),
        "module-level names defined in several files": len(names),
    }


def comment_share(path: Path) -> float:
    """Return the share of lines that are comments; those behind code do not count."""
    files = [path] if path.is_file() else sorted(path.rglob("*.py"))
    lines = [line for file in files for line in file.read_text("utf-8").splitlines()]
    return sum(line.lstrip().startswith("# ") for line in lines) / max(1, len(lines))


if __name__ == "__main__":
    sys.exit(main())
