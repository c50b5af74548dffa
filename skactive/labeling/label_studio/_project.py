"""One project of Label Studio, and the requests about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from skactive._utils.fingerprint import digest
from skactive.exceptions import BridgeError
from skactive.labeling.label_studio._client import Client

__all__ = ["Project", "create_project", "fetch_emails", "find_project"]

_PAGE_SIZE = 1000
_ANNOTATED_PAGE_SIZE = 200  # of tasks with their annotations
_IMPORT_TIMEOUT = 300.0  # seconds; an import of a thousand long texts is slow
# Includes the fields of the nested annotations.
_ANNOTATED_FIELDS = "id,data,updated_at,annotations,result,completed_by,was_cancelled,lead_time"
_VERSION_PREFIX = "skactive-"  # of the model versions made by bridges

TaskRecord = dict[str, Any]


def create_project(client: Client, settings: Mapping[str, Any]) -> Project:
    """Create a project.

    Parameters
    ----------
    client : Client
        A client of the server.
    settings : mapping
        Settings of the project.

    Returns
    -------
    Project
    """
    return Project(client, client.call("POST", "/api/projects/", dict(settings)))


def find_project(client: Client, mark: str) -> Project | None:
    """Find the project whose description contains a mark; the oldest, if there are several.

    Parameters
    ----------
    client : Client
        A client of the server.
    mark : str
        A part of the description.

    Returns
    -------
    Project or None
    """
    query = {"include": "id,description", "page_size": _PAGE_SIZE}
    numbers: list[int] = []
    page = 1
    while True:
        answer = client.call("GET", "/api/projects/", query=query | {"page": page})
        projects = _get_field(answer, "results")
        numbers += [
            _get_field(each, "id")
            for each in projects
            if mark in (_get_field(each, "description") or "")
        ]
        if not _get_field(answer, "next"):
            break
        page += 1
    return Project.fetch(client, min(numbers)) if numbers else None


def fetch_emails(client: Client) -> dict[int, str]:
    """Return the email addresses of the users by their numbers; empty without permission."""
    try:
        answer = client.call("GET", "/api/users/")
    except BridgeError as error:
        if error.status != 403:
            raise
        return {}
    users = answer if isinstance(answer, list) else _get_field(answer, "results")
    return {user["id"]: user["email"] for user in users if user.get("email")}


class Project:
    """A project on a server.

    Parameters
    ----------
    client : Client
        A client of the server.
    settings : dict
        The settings of the project, as returned by the server.

    Attributes
    ----------
    id : int
        The number of the project.
    mark : str
        Identifies the project, independently of the server's address.
    """

    def __init__(self, client: Client, settings: dict[str, Any]) -> None:
        self._client, self.settings = client, settings
        self.id = int(_get_field(settings, "id"))
        self.mark = digest([self.id, _get_field(settings, "created_at")])[:12]
        self._path = f"/api/projects/{self.id}"

    @classmethod
    def fetch(cls, client: Client, number: int) -> Project:
        """Return a project by its number."""
        return cls(client, client.call("GET", f"/api/projects/{int(number)}/"))

    @property
    def config(self) -> dict[str, Any]:
        """The labeling configuration, as parsed by the server."""
        return self.settings.get("parsed_label_config") or {}

    def choices(self, name: str) -> list[str]:
        """Return the choices of the control with a name."""
        return list(self.config.get(name, {}).get("labels", ()))

    def update(self, **settings: Any) -> None:
        """Update settings of the project."""
        self.settings = self._client.call("PATCH", f"{self._path}/", settings)

    # Tasks ----------------------------------------------------------------------------------------

    def tasks(self) -> Iterator[TaskRecord]:
        """Yield all tasks with ``id``, ``data`` and ``meta``, without their annotations."""
        last = 0
        while True:
            query = _make_query(["tasks:id"], ("id", "greater", "Number", last))
            page = self._fetch_page(query, "id,data,meta", _PAGE_SIZE, 1)
            yield from page
            if len(page) < _PAGE_SIZE:
                return
            last = page[-1]["id"]

    def add_tasks(self, tasks: Sequence[Mapping[str, Any]]) -> None:
        """Add tasks. The request is not repeated: the server would add them twice."""
        self._client.call("POST", f"{self._path}/import", list(tasks), timeout=_IMPORT_TIMEOUT)

    def is_untouched(self, task: int) -> bool:
        """Return whether a task has neither annotations nor drafts."""
        query = {"include": "id,annotations,drafts"}
        answer = self._client.call("GET", f"/api/tasks/{task}/", query=query)
        return not answer.get("annotations") and not answer.get("drafts")

    def remove_task(self, task: int) -> None:
        """Remove a task, if it exists."""
        _ignore_missing(lambda: self._client.call("DELETE", f"/api/tasks/{task}/"))

    # Annotations ----------------------------------------------------------------------------------

    def annotated_tasks(self) -> Iterator[TaskRecord]:
        """Yield the tasks that have annotations or skips; a task with both comes twice."""
        for field in ("total_annotations", "cancelled_annotations"):
            yield from self._fetch_since(None, (f"{field}", "greater", "Number", 0))

    def changed_tasks(self, since: datetime) -> Iterator[TaskRecord]:
        """Yield the tasks that changed since a time of the server, with their annotations."""
        yield from self._fetch_since(since)

    def _fetch_since(
        self, since: datetime | None, *filters: tuple[Any, ...]
    ) -> Iterator[TaskRecord]:
        """Yield tasks in the order of their changes; those that change meanwhile come again."""
        page = 1
        yielded: set[tuple[int, str]] = set()
        while True:
            is_recent = () if since is None else (_updated_since(since),)
            query = _make_query(["tasks:updated_at"], *filters, *is_recent)
            tasks = self._fetch_page(query, _ANNOTATED_FIELDS, _ANNOTATED_PAGE_SIZE, page)
            for task in tasks:
                if (version := (task["id"], task["updated_at"])) not in yielded:
                    yielded.add(version)
                    yield task
            if len(tasks) < _ANNOTATED_PAGE_SIZE:
                return
            # Not simply the next page: a task that changes meanwhile moves to the end, and the
            # tasks after it would move up by one. So continue at the time of the last task; only if
            # a whole page has the same time, with the next page.
            last = datetime.fromisoformat(tasks[-1]["updated_at"])
            since, page = (since, page + 1) if last == since else (last, 1)

    def has_annotation(self, annotation: int) -> bool:
        """Return whether an annotation exists."""
        path = f"/api/annotations/{annotation}/"
        return _ignore_missing(lambda: self._client.call("GET", path)) is not None

    # The order ------------------------------------------------------------------------------------

    def add_predictions(
        self, scores: Mapping[int, float], version: str, results: Mapping[int, list[Any]]
    ) -> None:
        """Add predictions of a model version: a score per task, and results of some tasks."""
        predictions = [
            {
                "task": task,
                "result": results.get(task, []),
                "score": score,
                "model_version": version,
            }
            for task, score in scores.items()
        ]
        # Safe to repeat: the same scores twice give the same order.
        path = f"{self._path}/import/predictions"
        self._client.call("POST", path, predictions, retry=True)

    def serve_version(self, version: str) -> None:
        """Serve the tasks by the scores of a model version, lowest first."""
        self.update(sampling="Uncertainty sampling", model_version=version)

    def remove_other_versions(self, version: str) -> None:
        """Remove the predictions of all versions made by bridges except one."""
        path = f"{self._path}/model-versions/"
        for other in self._client.call("GET", path):
            if other.startswith(_VERSION_PREFIX) and other != version:
                self._client.call("DELETE", path, {"model_version": other})

    def _fetch_page(self, query: Any, include: str, size: int, page: int) -> list[TaskRecord]:
        parameters = {
            "project": self.id,
            "page": page,
            "page_size": size,
            "fields": "all" if include == _ANNOTATED_FIELDS else "task_only",
            "include": include,
            "resolve_uri": "false",
            "query": query,
        }
        try:
            answer = self._client.call("GET", "/api/tasks/", query=parameters)
        except BridgeError as error:
            if error.status == 404 and page > 1:  # the previous page was full, and the last
                return []
            raise
        return list(_get_field(answer, "tasks"))


def _make_query(ordering: list[str], *filters: tuple[Any, ...]) -> dict[str, Any]:
    """Return a query of Label Studio's data manager."""
    items = [
        {"filter": f"filter:tasks:{field}", "operator": operator, "type": kind, "value": value}
        for field, operator, kind, value in filters
    ]
    return {"filters": {"conjunction": "and", "items": items}, "ordering": ordering}


def _updated_since(moment: datetime) -> tuple[str, str, str, str]:
    """Return a filter of tasks; times always have microseconds there."""
    text = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return "updated_at", "greater_or_equal", "Datetime", text


def _get_field(answer: Any, name: str) -> Any:
    if isinstance(answer, dict) and name in answer:
        return answer[name]
    raise BridgeError(
        f"The response of Label Studio has no {name!r}: the address may be that of another server, "
        "or the version too old (tested with 1.23)."
    )


def _ignore_missing(request: Callable[[], Any]) -> Any:
    """Return the result of a request, or None if its object does not exist."""
    try:
        return request()
    except BridgeError as error:
        if error.status != 404:
            raise
        return None
