"""The report of a check: sentences, and one HTML page."""

from __future__ import annotations

import math
import shlex
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skactive._utils.html_tags import render_tag
from skactive._utils.text import pluralize
from skactive.cli.checking._accuracy import Accuracy, AccuracyCost
from skactive.cli.checking._findings import Findings
from skactive.cli.checking._people import People
from skactive.cli.checking._rows import CheckedRows, CheckSettings, describe_row
from skactive.display._html import (
    render_code,
    render_page,
    render_paragraph,
    render_section,
    render_summary,
    render_table,
)

__all__ = ["Check", "render_check", "summarize_check"]

_MAX_SUSPECTS, _MAX_REPEATS, _MAX_OUTLIERS, _MAX_CONFUSED, _MAX_LISTED = 200, 50, 50, 20, 12
_MIN_ERRORS = 2  # standard errors by which a model must be better than the largest class
_MAX_LENGTH = 240  # characters of a row
_KINDS = {
    "wrong label": "the model is sure of another class",
    "ambiguous": "its label and another class are about equally likely",
    "outlier": "far from all other rows, where the model knows little",
}


class Check(NamedTuple):
    """Everything that a report shows."""

    settings: CheckSettings
    rows: CheckedRows
    findings: Findings
    people: People | None
    costs: list[AccuracyCost]


# Sentences --------------------------------------------------------------------------------------


def summarize_check(check: Check) -> list[str]:
    """Return the sentences that say what was found."""
    rows, findings = check.rows, check.findings
    n_classes = len(findings.quality.classes_)
    counts = _count_kinds(findings)
    suspects = ", ".join(f"{counts[kind]:,} {word}" for kind, word in _name_kinds(counts))
    contradictory = sum(repeat.labels_differ for repeat in findings.repeats)
    lines = [
        f"{pluralize(len(rows), 'row')} of {n_classes} classes; "
        f"{pluralize(len(findings.quality.suspects_), 'label')} of them suspect: {suspects}.",
        *_describe_model(check),
        _describe_error_rate(findings),
    ]
    if findings.repeats:
        lines.append(
            f"{pluralize(sum(len(repeat.rows) for repeat in findings.repeats), 'row')} repeat each "
            f"other, in {pluralize(len(findings.repeats), 'group')}; in {contradictory:,} of these "
            "the labels contradict each other."
        )
    lines += [_describe_gain(check.costs)] if check.costs else []
    if check.people is not None:
        people, worst = check.people.people, check.people.people[0]
        name = f"the least accurate is {worst.name}" if len(people) > 1 else worst.name
        lines.append(
            f"{pluralize(len(people), 'annotator')}; {name}, with {_percent(worst.accuracy)} of "
            "the answers right, by estimate."
        )
    return lines


def _describe_model(check: Check) -> list[str]:
    """Return a warning if the model predicts labels hardly better than the largest class does."""
    accuracy, chance = check.findings.compare_with_chance(check.rows.labels)
    error = math.sqrt(chance * (1 - chance) / len(check.rows))
    if accuracy > chance + _MIN_ERRORS * error:
        return []
    return [
        f"The model predicts {_percent(accuracy)} of the labels, hardly more than the most "
        f"frequent class has ({_percent(chance)}): it knows little of these rows, and its suspects "
        "mean little. Other columns or another --model may help."
    ]


def _name_kinds(counts: dict[str, int]) -> list[tuple[str, str]]:
    return [
        ("wrong label", "likely wrong"),
        ("ambiguous", "ambiguous"),
        ("outlier", "outlier" if counts["outlier"] == 1 else "outliers"),
    ]


def _count_kinds(findings: Findings) -> dict[str, int]:
    """Return the number of suspects of each kind."""
    kinds = findings.kinds[findings.quality.suspects_]
    return {kind: int((kinds == kind).sum()) for kind in _KINDS}


def _describe_error_rate(findings: Findings) -> str:
    rate = findings.error_rate
    if rate is None:
        return (
            f"About {_percent(findings.modeled_error_rate)} of the labels are wrong, according to "
            "the model alone (confident learning); nobody has checked any."
        )
    return (
        f"{_percent(rate.value)} of the labels are wrong ({_percent(rate.confidence, 0)} interval "
        f"{_percent(rate.low)} to {_percent(rate.high)}), from "
        f"{pluralize(rate.n, 'label')} that people checked."
    )


def _describe_gain(costs: Sequence[AccuracyCost]) -> str:
    baseline, *others = costs
    best = max(others, key=lambda cost: max(cost.on_all.low, cost.on_others.low))
    words = best.name.removeprefix("likely wrong labels ")
    start = f"The model predicts {_percent(baseline.on_all.value)} of the labels"
    if best.on_all.low > 0:
        return (
            f"{start}, and {_percent(best.on_all.value)} if those that are likely wrong are "
            f"{words} in training."
        )
    if best.on_others.low > 0:
        return (
            f"Of the labels that are not likely wrong the model predicts "
            f"{_percent(baseline.on_others.value)}, and {_percent(best.on_others.value)} if the "
            f"others are {words} in training."
        )
    return f"{start}, and not clearly more if those that are likely wrong are {words} in training."


def _percent(share: float, digits: int = 1) -> str:
    return f"{100 * share:.{digits}f}\N{NO-BREAK SPACE}%"


# The page ---------------------------------------------------------------------------------------


def render_check(check: Check) -> str:
    """Return the report: one self-contained page."""
    return render_page(
        f"The labels of {check.settings.file.name}",
        [
            render_summary(summarize_check(check)),
            _render_notes(check),
            _render_suspects(check),
            _render_repeats(check),
            _render_outliers(check),
            _render_confusions(check),
            _render_people(check.people),
            _render_error_rate(check),
            _render_costs(check.costs),
            _render_settings(check),
        ],
    )


def _render_notes(check: Check) -> str:
    notes = [*check.rows.notes, *check.findings.notes]
    items = "".join(render_tag("li", escape(note)) for note in notes)
    return render_section("What was read", render_tag("ul", items), class_="notes")


def _render_suspects(check: Check) -> str:
    """Return the table of suspects, and what the kinds mean."""
    findings, rows = check.findings, check.rows
    suspects = findings.list_suspects()
    if not len(suspects):
        return render_section("Suspects", render_paragraph("No label is suspect."))
    shown = suspects[:_MAX_SUSPECTS]
    quality = findings.quality
    codes, other = findings.compare_classes(rows.labels)
    table = render_table(
        _count_shown("Suspects", len(shown), len(suspects)),
        ["where", "reason", "label", "or rather", "row"],
        [
            [
                rows.places[row],
                str(findings.kinds[row]),
                f"{rows.labels[row]} ({_percent(quality.proba_[row, codes[row]], 0)})",
                f"{quality.classes_[other[row]]} ({_percent(quality.proba_[row, other[row]], 0)})",
                _show_row(check, int(row)),
            ]
            for row in shown
        ],
        prose=True,
    )
    meanings = "".join(
        render_tag("li", f"{render_tag('strong', escape(kind))}: {escape(meaning)}")
        for kind, meaning in _KINDS.items()
    )
    explanation = (
        "A label is suspect if a model that has not seen it is surer of another class than it is, "
        "on average, of the rows of that class, or finds it nine times as probable. The likely "
        "reason is one of three; the worst of each come first. Percentages are the model's "
        "probabilities."
    )
    return render_section(
        "Suspects", render_paragraph(explanation), render_tag("ul", meanings), table
    )


def _show_row(check: Check, row: int) -> str:
    settings = check.settings
    hidden = [settings.target, settings.id or "", settings.audited or "", *settings.annotators]
    return describe_row(check.rows, row, hidden, _MAX_LENGTH)


def _count_shown(noun: str, n_shown: int, n: int) -> str:
    return f"{noun}: all {n:,}" if n_shown == n else f"{noun}: the first {n_shown:,} of {n:,}"


def _render_repeats(check: Check) -> str:
    repeats, rows = check.findings.repeats, check.rows
    if not repeats:
        return render_section("Rows that repeat others", render_paragraph("There are none."))
    shown = repeats[:_MAX_REPEATS]
    table = render_table(
        _count_shown("Groups", len(shown), len(repeats)),
        ["where", "labels", "how alike", "first of them"],
        [
            [
                _join_first([rows.places[row] for row in repeat.rows]),
                _count_labels(rows.labels[repeat.rows].tolist()),
                "equal" if repeat.are_equal else "nearly equal",
                _show_row(check, int(repeat.rows[0])),
            ]
            for repeat in shown
        ],
        prose=True,
    )
    explanation = (
        "Groups whose labels contradict each other come first: at least one label of each is "
        "wrong, or the classes do not exclude each other."
    )
    return render_section("Rows that repeat others", render_paragraph(explanation), table)


def _render_outliers(check: Check) -> str:
    """Return the table of rows that are far from all others, whatever their labels."""
    rows = np.flatnonzero(check.findings.kinds == "outlier")
    heading = "Rows far from all others"
    if not len(rows):
        reason = "They were not searched." if check.findings.notes else "There are none."
        return render_section(heading, render_paragraph(reason))
    shown = rows[:_MAX_OUTLIERS]
    table = render_table(
        _count_shown("Rows", len(shown), len(rows)),
        ["where", "label", "row"],
        [
            [check.rows.places[row], str(check.rows.labels[row]), _show_row(check, int(row))]
            for row in shown
        ],
        prose=True,
    )
    explanation = "Do they belong to the data? Such rows may be damaged, or of no class."
    return render_section(heading, render_paragraph(explanation), table)


def _join_first(names: Sequence[str]) -> str:
    """Return names of places, of many the first ones: "line 7, line 9 and 3 more"."""
    more = len(names) - _MAX_LISTED
    return ", ".join(names[:_MAX_LISTED]) + (f" and {more:,} more" if more > 0 else "")


def _count_labels(labels: Sequence[str]) -> str:
    """Return "cat" or "cat 2, dog 1"."""
    counts = {label: labels.count(label) for label in sorted(set(labels))}
    if len(counts) == 1:
        return next(iter(counts))
    return ", ".join(f"{label} {count}" for label, count in counts.items())


def _render_confusions(check: Check) -> str:
    """Return the table of pairs of classes that are mistaken for each other."""
    pairs = list(_list_confusions(check.findings, check.rows.labels))
    heading = "Classes that are confused"
    if not pairs:
        return render_section(heading, render_paragraph("No label points to another class."))
    table = render_table(
        _count_shown("Pairs", min(len(pairs), _MAX_CONFUSED), len(pairs)),
        ["label", "rather", "suspects", "estimated number", "of the label"],
        pairs[:_MAX_CONFUSED],
    )
    explanation = (
        "Estimated numbers are those of confident learning: labels of a class that belong to "
        "another, if the model is right."
    )
    return render_section(heading, render_paragraph(explanation), table)


def _list_confusions(findings: Findings, labels: NDArray[np.str_]) -> Iterator[list[str]]:
    """Yield the pairs of classes, by the estimated number of labels, the largest first."""
    quality = findings.quality
    joint, classes = quality.joint_, quality.classes_
    codes, others = (part[quality.suspects_] for part in findings.compare_classes(labels))
    off_diagonal = joint - np.diag(joint.diagonal())
    for cell in np.argsort(-off_diagonal, axis=None, kind="stable"):
        given, true = np.unravel_index(cell, joint.shape)
        n_suspects = int(((codes == given) & (others == true)).sum())
        if given == true or (off_diagonal[given, true] < 0.5 and not n_suspects):
            continue
        yield [
            str(classes[given]),
            str(classes[true]),
            f"{n_suspects:,}",
            f"{joint[given, true]:.0f}",
            _percent(joint[given, true] / joint[given].sum()),
        ]


def _render_people(people: People | None) -> str:
    if people is None:
        return ""
    table = render_table(
        "Annotators",
        ["annotator", "answers", "right, by estimate", "agree with others", "agree with the model"],
        [
            [
                person.name,
                f"{person.n_answers:,}",
                _percent(person.accuracy),
                "" if math.isnan(person.with_others) else _percent(person.with_others),
                _percent(person.with_model),
            ]
            for person in people.people
        ],
    )
    sentences = [
        "The share of right answers is estimated from the agreement with others and with the "
        "cross-validated model, which is one more annotator. Whoever gets the harder rows agrees "
        "less."
    ]
    alpha = people.agreement
    if alpha is None:
        sentences.append("No row was answered twice, so people cannot be compared with each other.")
    elif not math.isnan(alpha.value):
        sentences.append(
            f"Krippendorff's alpha is {alpha.value:.2f} ({_percent(alpha.confidence, 0)} interval "
            f"{alpha.low:.2f} to {alpha.high:.2f}): 1 is perfect agreement, 0 that of chance."
        )
    return render_section("Annotators", *map(render_paragraph, sentences), table)


def _render_error_rate(check: Check) -> str:
    findings = check.findings
    parts = [render_paragraph(_describe_error_rate(findings))]
    if findings.error_rate is None:
        places = ", ".join(check.rows.places[row] for row in findings.audit)
        column = "checked"
        again = shlex.join([*_list_arguments(check.settings), "--audited", column])
        parts += [
            render_paragraph(
                "A model cannot know: it takes hard rows for errors, and misses errors that it "
                f"would make itself. For an interval, let people check the "
                f"{pluralize(len(findings.audit), 'row')} below, which were drawn at random, half "
                f"of them among the suspects; write their true classes into a new column, such as "
                f"{column!r}, and run the command again with it."
            ),
            render_tag("h3", "Rows to check"),
            render_code("Rows to check", places, class_="command"),
            render_tag("h3", "The command with the new column"),
            render_code("The command with the new column", again, class_="command"),
        ]
    else:
        parts.append(
            render_paragraph(
                "Suspects and other rows were counted apart. The interval holds if the checked "
                "rows are those that an earlier report drew, or were drawn at random among the "
                f"suspects and among the others. The model alone would say "
                f"{_percent(findings.modeled_error_rate)}."
            )
        )
    return render_section("How many labels are wrong?", *parts)


def _render_costs(costs: Sequence[AccuracyCost]) -> str:
    heading = "What wrong labels cost in accuracy"
    if not costs:
        reason = "A class has too few rows to find out: three or more are needed in each fold."
        return render_section(heading, render_paragraph(reason))
    table = render_table(
        "Accuracy of the model, cross-validated, and gain with its 95 % interval",
        ["learned from", "on all labels", "gain", "on those not likely wrong", "gain"],
        [
            [
                cost.name,
                _percent(cost.on_all.value),
                "" if cost is costs[0] else _format_gain(cost.on_all),
                _percent(cost.on_others.value),
                "" if cost is costs[0] else _format_gain(cost.on_others),
            ]
            for cost in costs
        ],
    )
    sentences = (
        "Each model is tested on rows that it has not learned from, and the labels that are left "
        "out or replaced in training were found without the test rows.",
        "All labels judge with their errors, which no model can predict if they are random: these "
        "hide a part of the gain, in proportion. If errors follow a rule, the model of all labels "
        "learns it, and gets credit for it.",
        "Labels that are not likely wrong judge better, but they are chosen by the model of all "
        "labels: where it is sure of another class, and perhaps mistaken, it is not tested, which "
        "flatters it. So a gain in either column is rather too small than too large.",
    )
    return render_section(heading, *map(render_paragraph, sentences), table)


def _format_gain(accuracy: Accuracy) -> str:
    gain, low, high = (f"{100 * value:+.1f}" for value in accuracy[1:])
    return f"{gain} points ({low} to {high})".replace("-", "\N{MINUS SIGN}")


def _render_settings(check: Check) -> str:
    settings = check.settings
    facts = [
        ("data", f"{settings.file.name}: {pluralize(len(check.rows), 'row')}"),
        ("target", f"{settings.target}: {_join_first(check.findings.quality.classes_.tolist())}"),
        ("model", f"{settings.model}, {settings.folds} folds{_describe_groups(check)}"),
        ("seed", str(settings.seed)),
    ]
    command = shlex.join(_list_arguments(settings))
    return render_section(
        "How it was run",
        render_table("Settings", ["setting", "value"], facts, numbers=False),
        render_code("The command", command, class_="command"),
    )


def _describe_groups(check: Check) -> str:
    if len(np.unique(check.findings.groups)) == len(check.rows):
        return ""
    return "; rows that repeat each other are in one fold, if each class is then in all others"


def _list_arguments(settings: CheckSettings) -> list[str]:
    """Return the arguments of the command that gives the same figures."""
    arguments = ["skactive", "check", str(settings.file), "--target", settings.target]
    options = {
        "--text": settings.text,
        "--columns": ",".join(settings.columns or ()),
        "--id": settings.id,
        "--annotators": ",".join(settings.annotators),
        "--audited": settings.audited,
        "--model": settings.model,
        "--folds": settings.folds,
        "--encoding": settings.encoding,
        "--separator": settings.separator,
        "--sheet": settings.sheet,
        "--html": settings.html,
        "--seed": settings.seed,
    }
    for name, value in options.items():
        if value not in (None, ""):
            arguments += [name, str(value)]
    return arguments
