"""Boards of any length without uploads or workers: scored runs with tables of per-pair scores, and pictures."""

import io
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from django.utils import timezone

from accounts.models import Team, User
from competitions.models import (
    Artifact,
    ImagePair,
    LeaderboardRow,
    LeaderboardSnapshot,
    Phase,
    Run,
    RunOutput,
    Submission,
)
from competitions.rules import RunState
from competitions.services.artifacts import store_file, store_path
from evaluation.images import encode_png
from evaluation.report import PairScore, write_pair_scores

Scores = Callable[[int, ImagePair], dict[str, float]]


def flat_scores(place: int, pair: ImagePair) -> dict[str, float]:
    """Score every pair of one run alike: the later, the less content; style rises at first, and then falls."""
    content, style = 0.9 - 0.0005 * place, 0.3 + 0.0002 * (place if place < 10 else -place)
    return {"headline": (content * style) ** 0.5, "content": content, "style": style, "seconds": 0.5}


def enter_runs(
    phase: Phase, n: int, *, n_baselines: int = 1, scores: Scores | None = None, names: Sequence[str] = ()
) -> list[Run]:
    """Make `n` scored runs, the first `n_baselines` of baselines; without `scores` they share one table."""
    pairs = list(phase.dataset_version.pairs.order_by("name"))
    user, _ = User.objects.get_or_create(username="crowd")
    archive, _ = Artifact.objects.get_or_create(
        sha256="1" * 64, kind=Artifact.Kind.ARCHIVE, defaults={"size": 2_500_000}
    )
    teams = Team.objects.bulk_create(Team(slug=f"team-{i}", name=f"Team {i}") for i in range(n))
    submissions = Submission.objects.bulk_create(
        Submission(
            phase=phase,
            kind="baseline" if i < n_baselines else "entry",
            team=None if i < n_baselines else teams[i],
            submitted_by=None if i < n_baselines else user,
            name=names[i] if i < len(names) else f"generator-{i:04d}",
            archive=_archive(i) if i < n_baselines else archive,
            manifest={},
            is_shipped=i < n_baselines,
        )
        for i in range(n)
    )
    tables = [_table(pairs, scores or flat_scores, i if scores else 0) for i in range(n if scores else 1)]
    ended = timezone.now()
    return Run.objects.bulk_create(
        Run(
            submission=submission,
            state=RunState.SCORED,
            suite=phase.suite,
            queued_at=ended - timedelta(minutes=n - i),
            finished_at=ended,
            pair_scores=tables[i % len(tables)],
            n_pairs=len(pairs),
            n_valid=len(pairs),
        )
        for i, submission in enumerate(submissions)
    )


def store_board(phase: Phase, runs: Sequence[Run], slices: dict[str, list[object]] | None = None) -> None:
    """Put the runs on a board in their order; values are those of `flat_scores`, slices all alike."""
    sizes = {"culture": slices or {"North": [40, 8, False], "South": [12, 6, False], "East": [9, 3, True]}}
    snapshot = LeaderboardSnapshot.objects.create(
        phase=phase,
        inputs_digest="0" * 64,
        suite_name="sts-test-1",
        suite_digest=phase.suite.digest,
        dataset_digest=phase.dataset_version.digest,
        seed=1,
        draws=2000,
        n_pairs=61,
        n_styles=17,
        n_contents=4,
        slices=sizes,
    )
    pair, rank = ImagePair(), 0
    rows = []
    for place, run in enumerate(runs):
        is_entry = run.submission.kind == "entry"
        rank += is_entry
        values = flat_scores(place, pair)
        rows.append(
            LeaderboardRow(
                snapshot=snapshot,
                position=place + 1,
                submission=run.submission,
                run=run,
                rank=rank if is_entry else None,
                rank_low=max(1, rank - 1) if is_entry else None,
                rank_high=rank + 1 if is_entry else None,
                group=(rank + 1) // 2 if is_entry else None,
                group_last=(rank + 1) // 2 if is_entry else None,
                values={name: [value, value - 0.02, value + 0.02] for name, value in values.items()},
                slices={
                    "culture": {
                        "North": [values["headline"] + 0.05, values["headline"], values["headline"] + 0.1],
                        "South": [0.2 + 0.0001 * place, 0.15, 0.3],
                    }
                },
                n_valid=61,
            )
        )
    LeaderboardRow.objects.bulk_create(rows)


def draw_outputs(phase: Phase, runs: Sequence[Run], size: int = 64) -> None:
    """Give every run one flat picture for each public pair; runs share the pictures of a pair."""
    pairs = list(phase.dataset_version.pairs.filter(split="public").order_by("name"))
    pictures = [_picture(index, size) for index in range(len(pairs))]
    RunOutput.objects.bulk_create(
        RunOutput(run=run, pair=pair, artifact=picture, seconds=0.5)
        for run in runs
        for pair, picture in zip(pairs, pictures, strict=True)
    )


def _archive(number: int) -> Artifact:
    return Artifact.objects.create(sha256=f"{number:064x}", kind=Artifact.Kind.ARCHIVE, size=1_000)


def _picture(index: int, size: int) -> Artifact:
    data = encode_png(np.full((size, size, 3), (30 + 25 * index) % 256, dtype=np.uint8))
    return store_file(kind=Artifact.Kind.OUTPUT, content=io.BytesIO(data))


def _table(pairs: Sequence[ImagePair], scores: Scores, place: int) -> Artifact:
    table = tuple(PairScore(pair.name, scores(place, pair), seconds=0.5) for pair in pairs)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        write_pair_scores(table, path)
        return store_path(kind=Artifact.Kind.PAIR_SCORES, path=path)
