"""Decide about entries from a shell: `manage.py moderate rerun|rescore|disqualify|reinstate ... --by USER`."""

from argparse import ArgumentParser
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from competitions.management.refusals import as_command_errors, find_user
from competitions.models import Phase
from competitions.services import moderation
from evaluation.spec import load_suite


class Command(BaseCommand):
    """Hand each decision to the service, in the name of an organizer or of staff, who stands in the history."""

    help = "Rerun, disqualify and reinstate submissions; have a phase scored by another suite"

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take one of four decisions."""
        actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
        rerun = actions.add_parser("rerun", help="run a submission once more; the team pays nothing")
        rescore = actions.add_parser("rescore", help="score the stored outputs of a phase by another suite")
        rescore.add_argument("phase", metavar="COMPETITION/PHASE")
        rescore.add_argument("--suite", required=True, help="for example sts-1")
        disqualify = actions.add_parser("disqualify", help="take a submission off the board")
        disqualify.add_argument("--reason", required=True, help="everybody can read it")
        reinstate = actions.add_parser("reinstate", help="put a submission back onto the board")
        for each in (rerun, disqualify, reinstate):
            each.add_argument("id", type=UUID, help="the id of a submission, as its page's address has it")
        for each in (rerun, rescore, disqualify, reinstate):
            each.add_argument("--by", required=True, metavar="USER", help="an organizer, or staff")

    def handle(self, *, action: str, **options: object) -> None:
        """Do one thing and say what came of it."""
        with as_command_errors():
            text = _ACTIONS[action](options)
        self.stdout.write(text)


def _rerun(options: dict[str, object]) -> str:
    run = moderation.rerun(submission_id=_id(options), user=find_user(str(options["by"])))
    return f"{run.submission_id}: queued as {run.pk}"


def _rescore(options: dict[str, object]) -> str:
    phase, suite = _find_phase(str(options["phase"])), load_suite(str(options["suite"]))
    made = moderation.rescore_phase(phase_pk=phase.pk, suite=suite, user=find_user(str(options["by"])))
    return f"{options['phase']}: {suite.id} from now on, {len(made)} rescorings are queued"


def _disqualify(options: dict[str, object]) -> str:
    row = moderation.disqualify(
        submission_id=_id(options), user=find_user(str(options["by"])), reason=str(options["reason"])
    )
    return f"{row.submission_id}: disqualified"


def _reinstate(options: dict[str, object]) -> str:
    moderation.lift(submission_id=_id(options), user=find_user(str(options["by"])))
    return f"{_id(options)}: reinstated"


_ACTIONS = {"rerun": _rerun, "rescore": _rescore, "disqualify": _disqualify, "reinstate": _reinstate}


def _id(options: dict[str, object]) -> UUID:
    return UUID(str(options["id"]))


def _find_phase(text: str) -> Phase:
    competition, _, slug = text.partition("/")
    phase = Phase.objects.filter(competition__slug=competition, slug=slug).first()
    if phase is None:
        known = ", ".join(
            f"{name}/{phase}"
            for name, phase in Phase.objects.values_list("competition__slug", "slug").order_by("pk")
        )
        raise CommandError(f"NOT_FOUND: There is no phase {text!r}. Known: {known or 'none'}.")
    return phase
