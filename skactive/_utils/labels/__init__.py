"""Labels of any kind: what `y` may be, and how its rows are read, taken, joined and compared.

An array, a frame, a series or a sparse matrix is what its shape says: one label per row, (n_rows,),
or an array per row, (n_rows, ...): an indicator matrix, several numbers, maps of one shape. A list
whose rows are lists, tuples, sets, arrays or dicts (tags per token, boxes, maps of any shapes) is
*structured*: its rows are kept as they are, and the model is given a list of them. So is an object
vector of such rows, which the model is given as an object vector.

There is one exception, for lists of plain values that scikit-learn's models take as a matrix: rows
of equal length become a matrix if the model's tags say that it takes several outputs or labels per
row, and rows of one value each become one label per row if the model takes single outputs and is a
regressor, or a classifier of a package that is known to take one label per row: a tagger that is a
classifier by its base class may well be given rows of one tag each.

Structured labels are held as an object vector, (n_rows,), of their rows: taking and joining them
copies no row.
"""

from skactive._utils.labels._comparison import equal_rows, holds_floats, row_errors
from skactive._utils.labels._elements import (
    count_elements,
    find_missing_elements,
    hide_elements,
)
from skactive._utils.labels._reading import (
    check_unmasked,
    find_missing,
    find_missing_rows,
    has_one_label,
    is_structured,
    read_labels,
)
from skactive._utils.labels._rows import (
    copy_labels,
    describe_labels,
    join_labels,
    list_names,
    take_labels,
    to_model_labels,
)

__all__ = [
    "check_unmasked",
    "copy_labels",
    "count_elements",
    "describe_labels",
    "equal_rows",
    "find_missing",
    "find_missing_elements",
    "find_missing_rows",
    "has_one_label",
    "hide_elements",
    "holds_floats",
    "is_structured",
    "join_labels",
    "list_names",
    "read_labels",
    "row_errors",
    "take_labels",
    "to_model_labels",
]
