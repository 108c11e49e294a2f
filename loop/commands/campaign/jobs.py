"""`alloop jobs`: what is measured where, and ending or repeating it."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alloop.loop.commands.arguments import FormatOption, RunArgument
from alloop.loop.commands.printing.formats import Format, print_list
from alloop.loop.commands.printing.text import say

if TYPE_CHECKING:
    from alloop.loop.measure.jobs import QueuedWorker

NOTHING = "nothing is measured, and nothing waits"


def jobs(
    run: RunArgument,
    cancel: Annotated[
        str | None, typer.Option(metavar="ID", help="end its measurement, which counts as failed")
    ] = None,
    retry: Annotated[
        str | None, typer.Option(metavar="ID", help="end its measurement and begin it anew")
    ] = None,
    why: Annotated[
        str, typer.Option(metavar="REASON", help="why, for the record; with --cancel and --retry")
    ] = "",
    format: FormatOption = Format.TABLE,
) -> None:
    """List what is measured where, or cancel or retry one.

    Since when each is measured, and how often it was tried.

    A measurement runs in a worker process on this machine, of a Dask scheduler, or in a Slurm job.
    A controller goes on meanwhile, and records what was ended with your name and the reason.
    """
    from alloop.errors import AlloopError
    from alloop.loop.measure.jobs import jobs_of
    from alloop.loop.people.jobs import queued_workers
    from alloop.loop.run_folder import RunFolder

    if cancel is not None and retry is not None:
        raise AlloopError(
            "--cancel and --retry were both given", remedy="Give one of them at a time."
        )
    if (id := cancel if cancel is not None else retry) is not None:
        _end(run, id, why, again=retry is not None)
        return
    folder = RunFolder.read(run)
    rows = [job.to_json() for job in jobs_of(run, folder.state)]
    print_list(rows, format, whole=("candidate",), shown=_shown, empty=NOTHING)
    if format is Format.TABLE:
        for worker in queued_workers(folder):
            say(_worker_line(worker))


def _end(run: Path, id: str, why: str, *, again: bool) -> None:
    from alloop.loop.people.jobs import end_job

    ended = end_job(run, id, why=why, again=again)
    job = ended.job
    what = f"{job.lattice or ''} {job.formula} {job.candidate[:12]}".strip()
    done = "is begun anew" if again else "is cancelled"
    where = f" ({job.where})" if job.where else ""
    say(f"{what}{where}: {done}, by {ended.who}: {ended.why}")


def _shown(row: Mapping[str, Any]) -> dict[str, str]:
    from alloop.loop.report.words import duration

    seconds = row["seconds"]
    return {
        "candidate": row["candidate"][:12],
        "formula": f"{row['lattice'] or ''} {row['formula']}".strip(),
        "tier": f"{row['tier']} ({row['kind']})",
        "state": row["state"],
        "where": row["where"],
        "since": row["since"][:19].replace("T", " "),
        "for": "" if seconds is None else duration(seconds),
        "try": f"{row['attempt']} of {max(row['attempt'], row['attempts'])}",
    }


def _worker_line(worker: "QueuedWorker") -> str:
    why = f" ({worker.reason})" if worker.reason else ""
    return f"Slurm job {worker.id}: {worker.state.lower()}{why}"
