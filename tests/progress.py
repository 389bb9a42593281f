"""Make a claimed run look as if its worker had done some pairs."""

from competitions.models import ImagePair
from competitions.services import runs, shards
from competitions.services.runs import Claim


def report_progress(held: Claim, done: int) -> None:
    """Cut the run into one shard, take it, and report that many pairs."""
    names = sorted(ImagePair.objects.values_list("name", flat=True))
    shards.plan(held, names, size=len(names))
    shard = shards.take(held)
    assert shard is not None
    assert shards.keep_alive(shard, pairs_done=done)
    assert runs.keep_alive(held)
