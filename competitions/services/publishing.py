"""Try a set-up out with two baselines, and show the competition to everybody."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from django.conf import settings
from django.db import transaction

from accounts.models import User
from competitions.errors import CompetitionError, IllegalTransition, NotFound
from competitions.models import Announcement, Artifact, Draft, Phase, Submission
from competitions.selectors.access import organized_competitions
from competitions.selectors.drafts import (
    current_setup,
    dry_run_view,
    get_draft_row,
    missing_steps,
    tried_archives,
)
from competitions.services.competitions import publish
from competitions.services.submissions import Upload, dry_run, register_baseline
from competitions.setting_up import TRIED_WITH, check_complete, check_may_publish
from competitions.storage import open_file
from evaluation.shipped import SHIPPED_FILE

EXPORT_SECONDS = 120


class NoBaselines(CompetitionError):
    """The baselines for the dry run could not be packed."""

    code = "NO_BASELINES"
    fix = "The operator finds the reason in the web server's log; `python -m baselines export` shows it too."


def start_dry_run(*, slug: str, user: User) -> list[Submission]:
    """Send two baselines through the pipeline as a participant's entry would go.

    Raises:
        NotFound: the user does not organize such a competition.
        IllegalTransition: a step is missing, one is under way, or the competition is published.
    """
    draft = get_draft_row(slug, user)
    if draft.competition.is_published:
        raise IllegalTransition("The competition is published already.")
    check_complete(missing_steps(draft))
    if dry_run_view(draft).is_live:
        raise IllegalTransition("A dry run is under way.", fix="Wait for its end, or cancel its runs.")
    phase = Phase.objects.filter(competition=draft.competition).order_by("opens_at")[0]
    with _archives() as uploads, transaction.atomic():
        made = dry_run(phase_pk=phase.pk, user=user, uploads=uploads)
        Draft.objects.filter(pk=draft.pk).update(
            tried={"setup": current_setup(draft), "submissions": [str(row.pk) for row in made]}
        )
    return made


@transaction.atomic
def publish_draft(*, slug: str, user: User, reason: str = "") -> None:
    """Show a competition to everybody, and put the baselines of its dry run beside the entries to come.

    Raises:
        NotFound: the user does not organize such a competition.
        IllegalTransition: a step is missing, or it is published already.
        InvalidInput: it was not tried, and no reason is given for that.
    """
    found = get_draft_row(slug, user)
    draft = (
        Draft.objects.select_for_update(of=("self",))
        .select_related("competition", "dataset_version")
        .get(pk=found.pk)
    )
    if draft.competition.is_published:
        raise IllegalTransition("The competition is published already.")
    is_tried = dry_run_view(draft).is_scored
    check_may_publish(missing=missing_steps(draft), is_tried=is_tried, reason=reason)
    draft.untried_reason = "" if is_tried else reason.strip()[:500]
    draft.save()
    publish(competition=draft.competition)
    if is_tried:
        _register_baselines(draft)


@transaction.atomic
def announce(*, slug: str, user: User, title: str, text: str) -> Announcement:
    """Tell everybody something.

    Raises:
        NotFound: the user does not organize such a competition.
        ValidationError: there is no title, or it is too long.
    """
    competition = organized_competitions(user).filter(slug=slug).first()
    if competition is None:
        raise NotFound("There is no such competition, or you do not organize it.")
    row = Announcement(competition=competition, title=title, text=text, author=user)
    row.full_clean()
    row.save()
    return row


def _register_baselines(draft: Draft) -> None:
    phase = Phase.objects.filter(competition=draft.competition).order_by("opens_at")[0]
    for tried in tried_archives(draft):
        with open_file(tried.archive.sha256) as content:
            register_baseline(phase_pk=phase.pk, upload=Upload(content=content, size=tried.archive.size))


@contextmanager
def _archives() -> Iterator[list[Upload]]:
    """Open the archives of the baselines: those in the storage, or such as are packed now."""
    shipped: dict[str, str] = json.loads(SHIPPED_FILE.read_text(encoding="utf-8"))
    digests = [shipped[name] for name in TRIED_WITH]
    stored = {row.sha256: row for row in Artifact.objects.filter(sha256__in=digests)}
    with ExitStack() as stack:
        if len(stored) == len(digests):
            yield [
                Upload(content=stack.enter_context(open_file(digest)), size=stored[digest].size)
                for digest in digests
            ]
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=settings.FILE_UPLOAD_TEMP_DIR)))
        yield [
            Upload(content=stack.enter_context(path.open("rb")), size=path.stat().st_size)
            for path in _exported(folder)
        ]


def _exported(folder: Path) -> list[Path]:
    """Pack the baselines by their own command line, in a process of its own: this one loads no torch."""
    command = [sys.executable, "-m", "baselines", "export", *TRIED_WITH, "--json", "--out", str(folder)]
    try:
        done = subprocess.run(
            command, cwd=settings.BASE_DIR, check=True, capture_output=True, timeout=EXPORT_SECONDS
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoBaselines from error
    return [Path(row["path"]) for row in json.loads(done.stdout)]
