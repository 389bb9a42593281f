"""What stands in the house whose pages are looked at: a full board, runs in every state, a competition half made."""

import io
import json
import time
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import numpy as np
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.test import Client
from django.utils import timezone

from accounts import memberships
from accounts.models import Team, User
from accounts.selectors import token_of
from accounts.services import create_user, issue_token
from competitions.models import (
    Artifact,
    Draft,
    ImagePair,
    Phase,
    Run,
    RunOutput,
    Submission,
    Webhook,
    WebhookDelivery,
)
from competitions.ranking import PairDesign, split_scores
from competitions.rules import RunState
from competitions.selectors.drafts import current_setup
from competitions.services import moderation, publishing, queue, results, runs, submissions
from competitions.services.artifacts import store_file
from competitions.services.flags import RaisedFlag, record_flags
from competitions.services.runs import Claim
from competitions.services.workers import Ability
from competitions.storage import open_file
from evaluation.images import decode_rgb, encode_png
from evaluation.intake.example import example_zip
from evaluation.report import PairScore, write_pair_scores
from tests.boards import enter_runs, store_board
from tests.conftest import IDENTITY, python_archive
from tests.frontend.test_setup import LIMITS
from tests.progress import take_shard

N_RUNS, N_BASELINES, N_MANNERS = 103, 3, 6
WORKER = Ability("test", True)
HARBOURS = {
    "title": "Harbours",
    "title_zh": "港口",
    "summary": "Paint harbours in the manner of patterns.",
    "summary_zh": "以各种纹样的风格描绘港口。",
    "description": "## Why\n\nBecause **light** on water is hard.",
    "description_zh": "## 原因\n\n水面上的**光**很难画。",
}


def fill() -> dict[str, str]:
    """Fill the database and return what addresses are made of: keys of rows, and sessions by user."""
    phase = Phase.objects.get()
    rosalba, organizer = (User.objects.get(username=name) for name in ("rosalba", "organizer"))
    memberships.start_team(user=organizer, name="Judges")
    atelier = memberships.start_team(user=rosalba, name="Atelier Carriera, Venezia")
    invitation = memberships.invite(team=atelier, user=rosalba)
    issue_token(user=rosalba, name="laptop")
    keys = {"team": atelier.slug, "invitation": token_of(invitation)} | _webhook(atelier, rosalba)
    keys |= _runs_of(phase, rosalba) | _board(phase, organizer, keys_of=("pair", "leader", "second"))
    publishing.announce(slug="small", user=organizer, title="A new date", text="The end is **a week later**.")
    careful = create_user(username="sofonisba", password="a long password 3", email="sofonisba@example.org")
    TOTP.activate(careful, generate_totp_secret())
    RecoveryCodes.activate(careful)
    _half_made(organizer)
    return keys | {user.username: _session(user) for user in (rosalba, organizer, careful)}


def _webhook(team: Team, user: User) -> dict[str, str]:
    """Give a team a webhook that is switched off, with one message sent and one that did not arrive."""
    events = " ".join(Webhook.Event.values)
    hook = Webhook.objects.create(
        team=team, url="https://example.org/told", secret="x", events=events, made_by=user, is_active=False
    )
    rows = {"event": Webhook.Event.RUN_FINISHED, "body": "{}", "attempts": 1, "tried_at": timezone.now()}
    states = WebhookDelivery.State
    hook.deliveries.create(**rows, state=states.DELIVERED, status=204, milliseconds=31)
    failed = hook.deliveries.create(**rows, state=states.FAILED, error="The line broke off.")
    return {"webhook": str(hook.pk), "delivery": str(failed.pk)}


def _board(phase: Phase, organizer: User, keys_of: tuple[str, str, str]) -> dict[str, str]:
    made = enter_runs(phase, N_RUNS, n_baselines=N_BASELINES, scores=_scores)
    own = Run.objects.get(state=RunState.SCORED, submission__submitted_by__username="rosalba")
    record_flags(
        made[5],
        [
            RaisedFlag("COPY_CONTENT", 0.9, 0.5, "It copies."),
            RaisedFlag("IGNORES_STYLE", 1, 0.7, "It ignores."),
        ],
    )
    moderation.disqualify(
        submission_id=made[-1].submission_id, user=organizer, reason="It was trained on the styles."
    )
    store_board(phase, [*made[:4], own, *made[4:-1]])
    pairs = list(phase.dataset_version.pairs.filter(split="public").order_by("name"))
    pictures = {pair.pk: _manners(pair) for pair in pairs}
    RunOutput.objects.bulk_create(
        RunOutput(run=run, pair=pair, artifact=pictures[pair.pk][place % N_MANNERS], seconds=0.5)
        for place, run in enumerate(made)
        for pair in pairs
    )
    values = (pairs[0].name, str(made[3].submission_id), str(made[4].submission_id))
    return dict(zip(keys_of, values, strict=True)) | {"flagged": str(made[5].submission_id)}


def _scores(place: int, pair: ImagePair) -> dict[str, float]:
    """Score a pair of a run: the later, the less content; each pair by a chance of its own."""
    chance = np.random.default_rng(1000 * place + pair.pk).normal(0, 0.05)
    content, style = 0.9 - 0.004 * place + chance, 0.3 + 0.003 * place - chance
    values = {"content": content, "style": style, "headline": (max(content, 0) * max(style, 0)) ** 0.5}
    return {name: float(np.clip(value, 0.01, 1)) for name, value in values.items()} | {"seconds": 0.5}


def _manners(pair: ImagePair) -> list[Artifact]:
    """Give the content image more and more of the style's colors and grain, and store each picture."""
    content, style = (_pixels(row.sha256) for row in (pair.content, pair.style))
    moved = (content - content.mean((0, 1))) / content.std((0, 1)) * style.std((0, 1)) + style.mean((0, 1))
    steps = np.linspace(0.2, 1, N_MANNERS)
    mixed = [(1 - step) * content + step * (0.8 * moved + 0.2 * style) for step in steps]
    stored = [encode_png(np.clip(picture, 0, 255).astype(np.uint8)) for picture in mixed]
    return [store_file(kind=Artifact.Kind.OUTPUT, content=io.BytesIO(data)) for data in stored]


def _pixels(sha256: str) -> np.ndarray:
    with open_file(sha256) as file:
        return decode_rgb(file.read(), "a picture").astype(float)


def _runs_of(phase: Phase, user: User) -> dict[str, str]:
    """Hand in four times for somebody: one is scored, one failed, one is being made, one waits."""
    made: dict[str, str] = {}
    for name in ("scored", "failed", "live", "waiting"):
        made[name] = str(_hand_in(phase, user, name).pk)
        if name == "waiting":
            break
        held = _claim(UUID(made[name]))
        runs.advance(held, RunState.LOADING)
        results.append_log(held, text="loading weights\nready\n", is_withheld=False)
        if name == "failed":
            runs.fail(held, code="PAIR_TIMEOUT", detail="No answer after 10 s.")
            continue
        runs.advance(held, RunState.GENERATING)
        _generate(held, phase, n=3 if name == "live" else None)
        if name == "scored":
            _score(held, phase)
    return made


def _hand_in(phase: Phase, user: User, name: str) -> Submission:
    with TemporaryDirectory() as folder:
        path = python_archive(Path(folder) / f"{name}.zip", f"{IDENTITY}\n# {name}\n")
        with path.open("rb") as content:
            upload = submissions.Upload(
                content=content, size=path.stat().st_size, note=f"the one that is {name}"
            )
            return submissions.create_submission(
                phase_pk=phase.pk, team=user.teams.order_by("pk")[0], user=user, upload=upload
            )


def _claim(submission_pk: UUID) -> Claim:
    held = queue.claim(worker="worker-1", ability=WORKER)
    assert held is not None
    assert held.run_id == Run.objects.get(submission=submission_pk).pk
    return held


def _generate(held: Claim, phase: Phase, n: int | None) -> None:
    pairs = list(phase.dataset_version.pairs.filter(split="public").order_by("name"))[:n]
    shard = take_shard(held)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "output.png"
        for pair in pairs:
            with open_file(pair.content.sha256) as file:
                path.write_bytes(file.read())
            results.store_output(shard, pair=pair.name, path=path, seconds=0.25)


def _score(held: Claim, phase: Phase) -> None:
    for stage in (RunState.SCORING, RunState.PUBLISHING):
        runs.advance(held, stage)
    pairs = list(phase.dataset_version.pairs.select_related("content", "style").order_by("name"))
    scores = {pair.name: PairScore(pair.name, _scores(4, pair), seconds=0.25) for pair in pairs}
    design = [PairDesign(p.name, p.split, p.content.sha256, p.style.sha256, p.culture) for p in pairs]
    with TemporaryDirectory() as folder:
        table = Path(folder) / "pairs.parquet"
        write_pair_scores(tuple(scores.values()), table)
        found = split_scores(scores, design)
        results.complete(held, pair_scores=table, scores=found, n_pairs=len(pairs), n_valid=len(pairs))


def _half_made(organizer: User) -> None:
    """Take a competition through six steps of its set-up, with faults among its pictures, and begin to try it."""
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(organizer)
    _send(browser, "new", {"slug": "harbours"} | HARBOURS)
    _send(browser, "harbours/setup/task", {"suite": "sts-demo-2"})
    _send(browser, "harbours/setup/dates", _dates())
    _send(browser, "harbours/setup/limits", LIMITS)
    _send(browser, "harbours/setup/people", {"organizers": "organizer", "is_listed": "yes"})
    _send(browser, "harbours/upload", {"archive": io.BytesIO(_faulty_zip())})
    draft = Draft.objects.get()
    phase = Phase.objects.get(competition=draft.competition)
    with TemporaryDirectory() as folder:
        paths = [
            python_archive(Path(folder) / f"{name}.zip", f"{IDENTITY}# {name}") for name in ("one", "two")
        ]
        uploads = [submissions.Upload(io.BytesIO(path.read_bytes()), path.stat().st_size) for path in paths]
        made = submissions.dry_run(phase_pk=phase.pk, user=organizer, uploads=uploads)
    tried = {"setup": current_setup(draft), "submissions": [str(row.pk) for row in made]}
    Draft.objects.update(tried=tried)


def _send(browser: Client, step: str, fields: dict[str, object]) -> None:
    answer = browser.post(f"/organize/{step}/", fields)
    assert answer.status_code == 302, answer.content.decode()


def _dates() -> dict[str, object]:
    named = {
        "phases-0-title": "Main",
        "phases-0-opens_at": "2031-01-01T00:00",
        "phases-0-closes_at": "2031-02-01T00:00",
    }
    return {"phases-TOTAL_FORMS": "1", "phases-INITIAL_FORMS": "0"} | named


def _faulty_zip() -> bytes:
    """Return the example with a double, a picture that is too small, and a drawing that calls itself a picture."""
    target = io.BytesIO(example_zip())
    with zipfile.ZipFile(target, "a") as packed:
        some = packed.read("hidden/contents/shapes/1.png")
        packed.writestr("hidden/contents/shapes/again.png", some)
        packed.writestr("hidden/contents/shapes/drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>")
        packed.writestr("hidden/styles/none/waves/tiny.png", encode_png(np.full((32, 32, 3), 90, np.uint8)))
    return target.getvalue()


def _session(user: User) -> str:
    """Sign somebody in, password just given, and return the session's key."""
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(user)
    session = browser.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "username": user.username}
    ]
    session.save()
    return str(browser.cookies["sessionid"].value)


def main() -> None:
    """Fill, and print what addresses are made of."""
    print(json.dumps(fill()))
