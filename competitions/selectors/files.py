"""Which image files a viewer may fetch: public pairs, and outputs for public pairs."""

from uuid import UUID

from django.db.models import Q

from competitions.errors import NotFound
from competitions.models import ImagePair, RunOutput
from competitions.selectors.access import Viewer, visible_competitions, visible_submissions

SIDES = ("content", "style")


def pair_image(pair_pk: int, side: str, viewer: Viewer) -> str:
    """Return the digest of the content or style image of a public pair, or raise NotFound."""
    pair = (
        ImagePair.objects.filter(
            pk=pair_pk,
            split=ImagePair.Split.PUBLIC,
            version__phases__competition__in=visible_competitions(viewer),
        )
        .select_related("content", "style")
        .first()
    )
    if pair is None or side not in SIDES:
        raise NotFound("There is no such image.")
    return (pair.content if side == "content" else pair.style).sha256


def output_image(run_id: UUID, pair_pk: int, viewer: Viewer) -> str:
    """Return the digest of the stylized image of a public pair, or raise NotFound.

    A rescoring has no images of its own: it shows those that it scored.
    """
    output = (
        RunOutput.objects.filter(
            Q(run=run_id) | Q(run__rescores=run_id),
            pair__pk=pair_pk,  # unlike `pair`, this takes numbers beyond what the column holds
            pair__split=ImagePair.Split.PUBLIC,
            run__submission__in=visible_submissions(viewer).values("pk"),
        )
        .select_related("artifact")
        .first()
    )
    if output is None:
        raise NotFound("There is no such image.")
    return output.artifact.sha256
