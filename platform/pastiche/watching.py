"""Show a run while it goes on: a live bar on a terminal, plain lines in a file, JSON lines for programs."""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from pastiche.client import Client
from pastiche.errors import NetworkError, RunFailed, Stopped
from pastiche.following import PAUSE, follow_run
from pastiche.language import say
from pastiche.responses import LogChunk, Run
from pastiche.tables import score_table
from pastiche.text import plain, stage

Show = Callable[[Run | LogChunk], None]


def watch_run(client: Client, run_id: str, *, console: Console, as_json: bool, pause: float = PAUSE) -> None:
    """Show a run until it ends, then its scores.

    Raises:
        RunFailed: the run failed or was cancelled.
        Stopped: Ctrl-C was pressed.
    """
    run = client.run(run_id)
    try:
        with _display(console, as_json=as_json) as show:
            for update in follow_run(client, run_id, pause=pause, notice=tell_trouble):
                show(update)
                run = update if isinstance(update, Run) else run
    except KeyboardInterrupt:
        raise Stopped(fix=say("Continue with `pastiche watch {id}`.", id=run.id)) from None
    require_scored(run)
    scores = client.scores(run.id)
    if as_json:
        click.echo(json.dumps(scores.model_dump(mode="json") | {"event": "scores"}))
    else:
        console.print(score_table(scores))


def require_scored(run: Run) -> None:
    """Raise RunFailed for a run that ended in another way than with scores."""
    if run.state == "cancelled":
        raise RunFailed(say("The run was cancelled."), code="CANCELLED")
    if run.state == "failed":
        failure = run.failure
        if failure is None:
            raise RunFailed(say("The run failed."))
        cost = say("It used up a run.") if failure.charged else say("It used up no run.")
        raise RunFailed(f"{failure.sentence} {cost}", fix=failure.advice, code=failure.code)


def tell_trouble(error: NetworkError) -> None:
    """Say that the server is away, and that it is asked again."""
    click.echo(f"{plain(error.message)} {say('Trying again.')}", err=True)


def _display(console: Console, *, as_json: bool) -> AbstractContextManager[Show]:
    if as_json:
        return nullcontext(_show_json)
    return _live(console) if console.is_terminal else nullcontext(_Lines(console).show)


def _show_json(update: Run | LogChunk) -> None:
    kind = "run" if isinstance(update, Run) else "log"
    click.echo(json.dumps(update.model_dump(mode="json") | {"event": kind}))


class _Lines:
    """A line for each change of the stage, and for each tenth of the pairs."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown: object = None

    def show(self, update: Run | LogChunk) -> None:
        """Print the update where it says something new."""
        if isinstance(update, LogChunk):
            self._console.print(Text(plain(update.text.rstrip("\n"))), soft_wrap=True)
            return
        tenth = update.pairs_done * 10 // max(1, update.pairs_total)
        key = (update.state, update.queue_place, update.attempt, update.waiting_reason, tenth)
        if key != self._shown:
            self._console.print(Text(stage(update)), soft_wrap=True)
        self._shown = key


@contextmanager
def _live(console: Console) -> Iterator[Show]:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn())
    with Progress(*columns, MofNCompleteColumn(), TimeElapsedColumn(), console=console) as progress:
        bar = progress.add_task("", total=None)

        def show(update: Run | LogChunk) -> None:
            """Print a log line above the bar, or move the bar."""
            if isinstance(update, LogChunk):
                progress.console.print(Text(plain(update.text.rstrip("\n"))), soft_wrap=True)
                return
            total = update.pairs_total or None
            progress.update(bar, description=stage(update), completed=update.pairs_done, total=total)

        yield show
