"""The pages: a run's report that goes on, the list of runs, and a sentence where there is neither.

Names and messages are untrusted; Jinja escapes them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from alloop.loop.record.artifacts import ArtifactStore
from alloop.loop.report import page as report
from alloop.loop.report.libraries import bundle, content_policy
from alloop.loop.report.page import page_environment, render_report
from alloop.loop.report.words import duration, format_timestamp, value_of
from alloop.loop.run_list import ListedRun
from alloop.loop.standing import RunState
from alloop.loop.state.campaign_state import CampaignState

HERE = Path(__file__).parent
REPORT = Path(report.__file__).parent


@dataclass(frozen=True)
class ListRow:
    """A run as the list shows it, in words."""

    name: str
    address: str
    """Relative to the list."""
    state: RunState
    why: str
    round: str
    measured: str
    best: str
    """Formula; empty before the first label."""
    values: str
    time_left: str
    latest: str


def list_row(name: str, run: ListedRun) -> ListRow:
    """Return a run's row; to be called with the units of its campaign."""
    values = ", ".join(f"{label} {value_of(label, value)}" for label, value in _values(run))
    return ListRow(
        name=name,
        address=f"runs/{quote(name, safe='')}/",
        state=run.state,
        why=run.why,
        round=f"{run.round} of {run.rounds}" if run.name else "",
        measured=f"{run.measured} of {run.measurements}" if run.name else "",
        best=run.best,
        values=values + ("" if run.is_feasible else " (constraints not met)"),
        time_left=f"about {duration(run.seconds_left)}" if run.seconds_left else "",
        latest=format_timestamp(run.since) if run.since else "",
    )


def _values(run: ListedRun) -> list[tuple[str, float]]:
    return list((run.values or {}).items())


def run_page(
    row: ListRow, state: CampaignState, head: str, path: Path, *, notice: str, is_alone: bool
) -> str:
    """Return a run's report that follows the run.

    Raises:
        AlloopError: if an artifact that the ledger names is missing or was changed.
    """
    store = ArtifactStore(path / "artifacts")
    bar = _template("bar.html.j2").render(row=row, notice=notice, is_alone=is_alone)
    return render_report(state, store, head=head, live=Markup(bar))


def without_libraries(page: str) -> str:
    """Return a report without the libraries that who fetches it again has: most of its bytes."""
    begin, end = '<script type="application/gzip"', "</script>\n"
    kept, *others = page.split(begin)
    return kept + "".join(other.partition(end)[2] for other in others)


def runs_page(rows: Sequence[ListRow], paths: Sequence[Path]) -> str:
    """Return the list of runs."""
    return _page("runs.html.j2", rows=rows, folders=[str(path) for path in paths])


def sentence_page(
    title: str,
    sentence: str,
    *,
    notice: str = "",
    is_alone: bool = False,
    is_followed: bool = True,
) -> str:
    """Return a page that says why there is nothing else on it; one of a run follows the run."""
    return _page(
        "sentence.html.j2",
        title=title,
        sentence=sentence,
        notice=notice,
        is_alone=is_alone,
        **({} if is_followed else {"script": ""}),
    )


def list_policy() -> str:
    """Return the content security policy of all pages but reports."""
    return content_policy([_script()], live=True)


def _page(name: str, **context: object) -> str:
    shared = {
        "css": Markup((REPORT / "report.css").read_text("utf-8")),
        "script": Markup(_script()),
        "policy": list_policy(),
    }
    return _template(name).render(shared | context)


def _script() -> str:
    return bundle(*(REPORT / "scripts" / name for name in ("theme.js", "live.js", "live_list.js")))


_ENVIRONMENT = page_environment(HERE, REPORT)
_template = _ENVIRONMENT.get_template
