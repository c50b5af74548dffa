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

# Messages carry ids, because all views of a widget receive all replies.
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
      setTimeout(link.stop, 60000); // answers that are under way still get their replies
    };
  },
};
"""


class LabelingWidget(anywidget.AnyWidget):
    """The labeling page in a notebook: JupyterLab, Notebook, voila, marimo.

    Each answer is stored at once. The page can be used with keys alone: each class and command has
    one, and ``h`` shows all of them. They are the same in the terminal.

    Parameters
    ----------
    session : LabelingSession
        The session to label in.
    render : callable or {"text", "image", "audio", "table", "html"}, default=None
        How to show a row; see :class:`~skactive.labeling.page.PageBackend`.
    annotator : str, default=None
        Name of the person who labels here.
    html : bool, default=False
        Whether texts are shown as HTML, in a frame without scripts.
    title : str, default=""
        Title of the page.
    media_root : str or Path, default=None
        Folder in which files of rows must lie; see :class:`~skactive.labeling.page.PageBackend`.

    Attributes
    ----------
    backend : PageBackend
        Handles the messages of the page.

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
        self.backend = PageBackend(
            session, render=render, title=title, html=html, media_root=media_root
        )
        self.annotator = annotator
        self.on_msg(self._handle)

    def _handle(self, _: Any, content: Any, buffers: Any) -> None:
        """Answer a message of the page; no message raises an error in the kernel."""
        if not isinstance(content, dict) or not isinstance(content.get("id"), str):
            return  # not from the page
        reply = self.backend.handle(content.get("message"), self.annotator)
        self.send({"reply_to": content["id"], "reply": reply})
