"""What a leaderboard looks like."""

from rest_framework import serializers

from competitions.api.shapes import EstimateSerializer, NumberField, UtcField
from competitions.selectors.leaderboards import RowView


class SliceSizeSerializer(serializers.Serializer):
    """How large a slice is; a thin one is too small for numbers of its own."""

    n_pairs = serializers.IntegerField()
    n_styles = serializers.IntegerField()
    is_thin = serializers.BooleanField()


class SnapshotSerializer(serializers.Serializer):
    """When and from what the board was made; `slices` are axis -> label -> size."""

    id = serializers.IntegerField(source="pk")
    created_at = UtcField()
    n_pairs = serializers.IntegerField()
    seed = serializers.IntegerField()
    slices = serializers.DictField(child=serializers.DictField(child=SliceSizeSerializer()))


class RowSerializer(serializers.Serializer):
    """A line of the board; rank is null for baselines and for runs that are not ranked.

    `flags` are the signs of gaming that an organizer has confirmed; `slices` are axis -> label -> headline.
    """

    rank = serializers.IntegerField(allow_null=True)
    rank_low = serializers.IntegerField(allow_null=True)
    rank_high = serializers.IntegerField(allow_null=True)
    group = serializers.IntegerField(allow_null=True)
    group_last = serializers.IntegerField(allow_null=True)
    p_next = NumberField(allow_null=True)
    name = serializers.CharField()
    team = serializers.CharField()
    kind = serializers.CharField()
    submission = serializers.UUIDField(source="submission_id")
    headline = NumberField(source="values.headline.value", allow_null=True)
    headline_low = NumberField(source="values.headline.low", allow_null=True)
    headline_high = NumberField(source="values.headline.high", allow_null=True)
    content = NumberField(source="values.content.value", allow_null=True)
    style = NumberField(source="values.style.value", allow_null=True)  # type: ignore[assignment]
    seconds_per_image = NumberField(source="values.seconds.value", allow_null=True)
    values = serializers.DictField(child=EstimateSerializer())
    slices = serializers.DictField(child=serializers.DictField(child=EstimateSerializer()))
    unranked_reason = serializers.CharField()
    flags = serializers.SerializerMethodField()

    def get_flags(self, row: RowView) -> list[str]:
        """Return the codes."""
        return [flag.code for flag in row.flags]


class SliceRowSerializer(serializers.Serializer):
    """A line of a slice: from which to which place its interval allows, null for baselines and what is not ranked."""

    place_low = serializers.IntegerField(allow_null=True)
    place_high = serializers.IntegerField(allow_null=True)
    name = serializers.CharField(source="row.name")
    team = serializers.CharField(source="row.team")
    kind = serializers.CharField(source="row.kind")
    submission = serializers.UUIDField(source="row.submission_id")
    headline = EstimateSerializer(source="shown", allow_null=True)
    unranked_reason = serializers.CharField(source="row.unranked_reason")


class SliceSerializer(serializers.Serializer):
    """The board by the headline on one slice, the best first; official ranks it has none."""

    competition = serializers.CharField()
    phase = serializers.CharField()
    suite = serializers.CharField()
    axis = serializers.CharField()
    slice = serializers.CharField()
    n_pairs = serializers.IntegerField()
    n_styles = serializers.IntegerField()
    rows = SliceRowSerializer(many=True)


class DisqualifiedSerializer(serializers.Serializer):
    """A submission that an organizer took off the board."""

    submission = serializers.UUIDField(source="submission_id")
    name = serializers.CharField()
    team = serializers.CharField()
    reason = serializers.CharField()


class LeaderboardSerializer(serializers.Serializer):
    """A board; the snapshot is null before the first run is scored.

    While `is_rescoring`, the board of the suite before stands.
    """

    competition = serializers.CharField(source="competition.slug")
    phase = serializers.CharField(source="phase.slug")
    suite = serializers.CharField()
    snapshot = SnapshotSerializer(allow_null=True)
    is_rescoring = serializers.BooleanField()
    rows = RowSerializer(many=True)
    disqualified = DisqualifiedSerializer(many=True)
