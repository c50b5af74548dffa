"""One project of Label Studio, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from skactive._utils.fingerprint import digest
from skactive.exceptions import BridgeError
from skactive.labeling.label_studio._client import Client

__all__ = ["Project", "created", "found", "users"]

_PAGE = 1000
_FULL_PAGE = 200  # of tasks with their annotations
_SLOW = 300.0  # seconds: an import of a thousand long texts takes a while
_ANNOTATED = (
    "id,data,updated_at,annotations,result,completed_by,was_cancelled,lead_time"  # nested ones too
)
_OURS = "skactive-"  # what model versions made here begin with

Task = dict[str, Any]


def created(client: Client, settings: Mapping[str, Any]) -> Project:
    """Make a project.

    Parameters
    ----------
    client : Client
        Where.
    settings : mapping
        Of the project.
    """
    return Project(client, client.call("POST", "/api/projects/", dict(settings)))


def found(client: Client, mark: str) -> Project | None:
    """Find the project whose description holds a mark; the oldest, if there are several."""
    query = {"include": "id,description", "page_size": _PAGE}
    fitting: list[int] = []
    page = 1
    while True:
        answer = client.call("GET", "/api/projects/", query=query | {"page": page})
        fitting += [
            each["id"] for each in _part(answer, "results") if mark in (each["description"] or "")
        ]
        if not answer["next"]:
            break
        page += 1
    return Project.of(client, min(fitting)) if fitting else None


def users(client: Client) -> dict[int, str]:
    """Return the addresses of a server's users by their numbers, as far as they may be seen."""
    try:
        answer = client.call("GET", "/api/users/")
    except BridgeError as error:
        if error.status != 403:
            raise
        return {}
    listed = answer if isinstance(answer, list) else _part(answer, "results")
    return {each["id"]: each["email"] for each in listed if each.get("email")}


class Project:
    """A project on a server.

    Parameters
    ----------
    client : Client
        The server.
    about : dict
        What the server says of the project.

    Attributes
    ----------
    id : int
        Its number there.
    mark : str
        The same for this project only, whatever the server's address.
    """

    def __init__(self, client: Client, about: dict[str, Any]) -> None:
        self._client, self.about = client, about
        self.id = int(_part(about, "id"))
        self.mark = digest([self.id, _part(about, "created_at")])[:12]
        self._path = f"/api/projects/{self.id}"

    @classmethod
    def of(cls, client: Client, number: int) -> Project:
        """Ask for a project by its number."""
        return cls(client, client.call("GET", f"/api/projects/{int(number)}/"))

    @property
    def parsed(self) -> dict[str, Any]:
        """The labeling configuration, as the server has parsed it."""
        return self.about.get("parsed_label_config") or {}

    def choices(self, name: str) -> list[str]:
        """Return the choices that are offered under a name."""
        return list(self.parsed.get(name, {}).get("labels", ()))

    def change(self, **settings: Any) -> None:
        """Change settings of the project."""
        self.about = self._client.call("PATCH", f"{self._path}/", settings)

    # Tasks ----------------------------------------------------------------------------------------

    def tasks(self) -> Iterator[Task]:
        """Yield all tasks with ``id``, ``data`` and ``meta``, without their annotations."""
        last = 0
        while True:
            after = _filtered(["tasks:id"], ("id", "greater", "Number", last))
            page = self._page(after, "id,data,meta", _PAGE, 1)
            yield from page
            if len(page) < _PAGE:
                return
            last = page[-1]["id"]

    def add_tasks(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Add tasks; asked once only, as the server would add them again."""
        self._client.call("POST", f"{self._path}/import", list(tasks), timeout=_SLOW)

    def is_untouched(self, task: int) -> bool:
        """Tell whether nobody has begun to work on a task."""
        query = {"include": "id,annotations,drafts"}
        about = self._client.call("GET", f"/api/tasks/{task}/", query=query)
        return not about.get("annotations") and not about.get("drafts")

    def remove_task(self, task: int) -> None:
        """Remove a task."""
        _unless_gone(lambda: self._client.call("DELETE", f"/api/tasks/{task}/"))

    # Annotations ----------------------------------------------------------------------------------

    def annotated(self) -> Iterator[Task]:
        """Yield the tasks that have annotations, skipped ones too; some come twice."""
        for field in ("total_annotations", "cancelled_annotations"):
            yield from self._since(None, (f"{field}", "greater", "Number", 0))

    def changed(self, since: datetime) -> Iterator[Task]:
        """Yield the tasks that changed since a moment of the server's, with their annotations."""
        yield from self._since(since)

    def _since(self, since: datetime | None, *filters: tuple[Any, ...]) -> Iterator[Task]:
        """Yield tasks in the order of their changes; those that change meanwhile come again."""
        page = 1
        done: set[tuple[int, str]] = set()
        while True:
            moment = (
                () if since is None else (("updated_at", _NOT_BEFORE, "Datetime", _text(since)),)
            )
            query = _filtered(["tasks:updated_at"], *filters, *moment)
            tasks = self._page(query, _ANNOTATED, _FULL_PAGE, page)
            for task in tasks:
                if (version := (task["id"], task["updated_at"])) not in done:
                    done.add(version)
                    yield task
            if len(tasks) < _FULL_PAGE:
                return
            # From the last one on, not the next page: what changes meanwhile leaves its place.
            last = datetime.fromisoformat(tasks[-1]["updated_at"])
            since, page = (since, page + 1) if last == since else (last, 1)

    def has_annotation(self, annotation: int) -> bool:
        """Tell whether there is an annotation."""
        path = f"/api/annotations/{annotation}/"
        return _unless_gone(lambda: self._client.call("GET", path)) is not None

    # The order ------------------------------------------------------------------------------------

    def predict(self, scores: Mapping[int, float], version: str) -> None:
        """Give tasks scores, as of a model of this version."""
        predictions = [
            {"task": task, "result": [], "score": score, "model_version": version}
            for task, score in scores.items()
        ]
        # The same scores twice are no other order.
        path = f"{self._path}/import/predictions"
        self._client.call("POST", path, predictions, harmless=True)

    def serve(self, version: str) -> None:
        """Serve tasks by the scores of a version, lowest first."""
        self.change(sampling="Uncertainty sampling", model_version=version)

    def forget_versions(self, but: str) -> None:
        """Remove the scores of all versions of ours but one."""
        path = f"{self._path}/model-versions/"
        for version in self._client.call("GET", path):
            if version.startswith(_OURS) and version != but:
                self._client.call("DELETE", path, {"model_version": version})

    def _page(self, query: Any, include: str, size: int, page: int) -> list[Task]:
        asked = {
            "project": self.id,
            "page": page,
            "page_size": size,
            "fields": "all" if include == _ANNOTATED else "task_only",
            "include": include,
            "resolve_uri": "false",
            "query": query,
        }
        try:
            answer = self._client.call("GET", "/api/tasks/", query=asked)
        except BridgeError as error:
            if error.status == 404 and page > 1:  # the last page was full
                return []
            raise
        return list(_part(answer, "tasks"))


_NOT_BEFORE = "greater_or_equal"


def _filtered(ordering: list[str], *filters: tuple[Any, ...]) -> dict[str, Any]:
    """Return a query of the data manager."""
    items = [
        {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}
        for field, operator, kind, value in filters
    ]
    return {"filters": {"conjunction": "and", "items": items}, "ordering": ordering}


def _text(moment: datetime) -> str:
    """Return a moment as filters take it: always with microseconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _part(answer: Any, name: str) -> Any:
    if isinstance(answer, dict) and name in answer:
        return answer[name]
    raise BridgeError(
        f"Label Studio answered without {name!r}: its version may be too old (tried with 1.23)."
    )


def _unless_gone(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except BridgeError as error:
        if error.status != 404:
            raise
        return None
