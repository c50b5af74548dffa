"""LabelingWidget: the labeling page in a notebook."""

from __future__ import annotations

from typing import Any

try:
    import anywidget
except ImportError as error:
    raise ImportError(
        'The widget needs anywidget: pip install "skactive[notebook]". Without it see '
        "`skactive label` and `skactive serve`."
    ) from error

from skactive.labeling.page import PageBackend, asset

__all__ = ["LabelingWidget"]

# Messages have numbers of their own: several views of a widget hear all replies.
_BRIDGE = """
function connect(model) {
  const waiting = new Map();
  const name = crypto.getRandomValues(new Uint32Array(2)).join("-");
  let sent = 0;
  const hear = (content) => {
    const answer = waiting.get(content?.reply_to);
    waiting.delete(content?.reply_to);
    answer?.(content.reply);
  };
  model.on("msg:custom", hear);
  return {
    send: (message) => new Promise((resolve) => {
      const id = `${name}-${++sent}`;
      waiting.set(id, resolve);
      setTimeout(() => waiting.delete(id), 120000);
      model.send({ id, message });
    }),
    stop: () => model.off("msg:custom", hear),
  };
}

export default {
  render({ model, el }) {
    const link = connect(model);
    const root = document.createElement("div");
    el.append(root);
    const page = mount(root, link.send, { timeoutMs: 60000 });
    return () => {
      page.destroy();
      setTimeout(link.stop, 60000); // answers that are under way still hear that they arrived
    };
  },
};
"""


class LabelingWidget(anywidget.AnyWidget):
    """The labeling page in a notebook: JupyterLab, Notebook, voila, marimo.

    What is answered is in the session's store at once. The page works by keys alone: the number of
    a class, S (skip), D (don't know), U (undo), arrows (back and forward), ? (what the model
    suggests, which is not shown before).

    Parameters
    ----------
    session : LabelingSession
        What is labeled.
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        What a row looks like; see :class:`~skactive.labeling.page.PageBackend`.
    annotator : str, default=None
        Who labels here.
    html : bool, default=False
        Whether texts are shown as HTML, in a frame without scripts.
    title : str, default=""
        Of the page.
    media_root : str or Path, default=None
        Files of rows must lie in this folder; see :class:`~skactive.labeling.page.PageBackend`.

    Attributes
    ----------
    desk : PageBackend
        What answers the page.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearner
    >>> from skactive.labeling import LabelingSession
    >>> from skactive.labeling.widget import LabelingWidget
    >>> X, _ = load_iris(return_X_y=True)
    >>> session = LabelingSession(ActiveLearner(LogisticRegression()), X, classes=[0, 1, 2])
    >>> widget = LabelingWidget(session, annotator="ann")
    >>> session.close()
    """

    _esm = asset("page.js") + _BRIDGE
    _css = asset("page.css")

    def __init__(
        self,
        session: Any,
        *,
        render: Any = None,
        annotator: str | None = None,
        html: bool = False,
        title: str = "",
        media_root: Any = None,
    ) -> None:
        super().__init__()
        self.desk = PageBackend(
            session, render=render, title=title, html=html, media_root=media_root
        )
        self.annotator = annotator
        self.on_msg(self._hear)

    def _hear(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer a message of the page; whatever came, nothing is raised in the kernel."""
        if not isinstance(content, dict) or not isinstance(content.get("id"), str):
            return  # not from the page
        reply = self.desk.handle(content.get("message"), self.annotator)
        self.send({"reply_to": content["id"], "reply": reply})
