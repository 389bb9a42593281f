"""Make a claimed run look as if its worker were at its pairs, or had done some."""

from competitions.models import ImagePair
from competitions.services import runs, shards
from competitions.services.runs import Claim
from competitions.services.shards import ShardClaim


def take_shard(held: Claim) -> ShardClaim:
    """Cut the run into one shard, and take it."""
    names = sorted(ImagePair.objects.values_list("name", flat=True))
    shards.plan(held, names, size=len(names))
    shard = shards.take(held)
    assert shard is not None
    return shard


def report_progress(held: Claim, done: int) -> ShardClaim:
    """Take the run's only shard and report that many pairs."""
    shard = take_shard(held)
    assert shards.keep_alive(shard, pairs_done=done)
    assert runs.keep_alive(held)
    return shard
