"""The outcome of the day, without what may differ between two days: keys of rows, and measured time."""

from competitions.models import LeaderboardRow, Phase, Score

Row = dict[str, object]

SECONDS = "seconds"  # how long a generator took, which is another number each time
PLACE = (
    "position",
    "rank",
    "rank_low",
    "rank_high",
    "group",
    "group_last",
    "p_next",
    "n_valid",
    "unranked_reason",
)


def read_outcome() -> dict[str, list[Row]]:
    """Read both boards as they stand, and the scores of every submission."""
    boards = {f"board of {phase.slug}": _board(phase) for phase in Phase.objects.order_by("slug")}
    return boards | {"scores": _scores()}


def _board(phase: Phase) -> list[Row]:
    snapshot = phase.snapshots.order_by("-pk").first()
    if snapshot is None:
        return []
    rows = LeaderboardRow.objects.filter(snapshot=snapshot).order_by("position")
    return [
        {"submission": row.submission.name, "team": row.submission.team and row.submission.team.name}
        | {name: getattr(row, name) for name in PLACE}
        | {"values": {name: numbers for name, numbers in row.values.items() if name != SECONDS}}
        for row in rows.select_related("submission__team")
    ]


def _scores() -> list[Row]:
    found: dict[str, Row] = {}
    for score in Score.objects.exclude(metric=SECONDS).select_related("run__submission"):
        row = found.setdefault(score.run.submission.name, {"submission": score.run.submission.name})
        row[f"{score.metric}, {score.split}"] = [score.value, score.low, score.high, score.n]
    return list(found.values())
