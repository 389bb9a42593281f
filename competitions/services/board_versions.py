"""Note that a board says something new, so that what was kept of it is not shown again."""

from django.db import transaction
from django.db.models import F

from competitions.models import BoardVersion, LeaderboardRow


@transaction.atomic
def touch_board(phase_id: int) -> None:
    """Give the board of a phase its next number, in the transaction that changes what it says, as its last step:
    everybody who writes to this board waits for the row.

    The number never repeats: what was read under one number and is newer than it harms nobody.
    """
    if not BoardVersion.objects.filter(phase=phase_id).update(number=F("number") + 1):
        _, is_new = BoardVersion.objects.get_or_create(phase_id=phase_id)
        if not is_new:  # made by somebody else at this moment
            BoardVersion.objects.filter(phase=phase_id).update(number=F("number") + 1)


def touch_boards_of_team(team_id: int) -> None:
    """Note that the boards on which a team stands show its name otherwise."""
    standing = LeaderboardRow.objects.filter(submission__team=team_id)
    for phase_id in set(standing.values_list("snapshot__phase", flat=True)):
        touch_board(phase_id)
