"""What answers look like; every number in full precision, every moment in UTC."""

from django.urls import reverse
from rest_framework import serializers

from competitions.api.shapes import EstimateSerializer, NumberField, UtcField
from competitions.selectors.competitions import PairView
from competitions.selectors.flags import RunFlags
from competitions.selectors.output import OutputView
from competitions.selectors.scores import PublicPairScore
from competitions.selectors.submissions import RunView, SubmissionView


class MetricSerializer(serializers.Serializer):
    """What a metric is called, which way it improves, and what it cannot see."""

    name = serializers.CharField()
    title = serializers.CharField()
    direction = serializers.CharField()
    unit = serializers.CharField()
    family = serializers.CharField()
    misses = serializers.CharField()


class PhaseSerializer(serializers.Serializer):
    """A phase: window, quota and limits."""

    slug = serializers.CharField()
    title = serializers.CharField()
    opens_at = UtcField()
    closes_at = UtcField()
    state = serializers.CharField()
    runs_per_day = serializers.IntegerField()
    limits = serializers.DictField(child=serializers.IntegerField())


class CompetitionSerializer(serializers.Serializer):
    """A line of the list; window, suite and counts are those of the phase that matters now."""

    slug = serializers.CharField()
    title = serializers.CharField()
    summary = serializers.CharField()
    state = serializers.CharField(source="phase.state", allow_null=True, read_only=True)
    opens_at = UtcField(source="phase.opens_at", allow_null=True)
    closes_at = UtcField(source="phase.closes_at", allow_null=True)
    suite = serializers.CharField(source="phase.suite.id", allow_null=True, read_only=True)
    n_public = serializers.IntegerField(source="phase.n_public", allow_null=True, read_only=True)
    n_hidden = serializers.IntegerField(source="phase.n_hidden", allow_null=True, read_only=True)


class CompetitionDetailSerializer(CompetitionSerializer):
    """A competition with phases and metrics; the view adds the caller's quota."""

    description = serializers.CharField()
    phases = PhaseSerializer(many=True)
    metrics = MetricSerializer(many=True)


class QuotaSerializer(serializers.Serializer):
    """How many runs a team may start today."""

    limit = serializers.IntegerField(source="per_day")
    used = serializers.IntegerField(source="used_today")
    left = serializers.IntegerField(source="left_today")


class CompetitionWithQuotaSerializer(CompetitionDetailSerializer):
    """A competition, and what the caller's team of one has left in the phase that matters now."""

    quota = QuotaSerializer(allow_null=True)


class PairSerializer(serializers.Serializer):
    """A public pair with the addresses of its two images."""

    id = serializers.CharField(source="name")
    content_url = serializers.SerializerMethodField()
    style_url = serializers.SerializerMethodField()
    style_family = serializers.CharField()
    culture = serializers.CharField()
    content_kind = serializers.CharField()

    def get_content_url(self, pair: PairView) -> str:
        """Return the address of the content image."""
        return self._url(pair.pk, "content")

    def get_style_url(self, pair: PairView) -> str:
        """Return the address of the style image."""
        return self._url(pair.pk, "style")

    def _url(self, pair_pk: int, side: str) -> str:
        path = reverse("pair_image", args=[pair_pk, side])
        return self.context["request"].build_absolute_uri(path)


class FailureSerializer(serializers.Serializer):
    """Why a run failed and what to do; `detail` is for the team, `charged`: it used up a run of the quota."""

    code = serializers.CharField()
    sentence = serializers.CharField()
    detail = serializers.CharField()
    advice = serializers.CharField()
    fault = serializers.CharField()
    charged = serializers.BooleanField()


class RunSerializer(serializers.Serializer):
    """Where a run stands; the view hands over the flags that the caller may see, by run.

    `flags` are the signs of gaming that an organizer has confirmed, `open_flags` those that nobody has looked at yet:
    null for everybody but organizers.
    """

    id = serializers.UUIDField()
    purpose = serializers.CharField()
    state = serializers.CharField()
    stage = serializers.CharField(source="state")
    pairs_done = serializers.IntegerField()
    pairs_total = serializers.IntegerField()
    queue_place = serializers.IntegerField(allow_null=True)
    estimated_start_at = UtcField(allow_null=True)
    attempt = serializers.IntegerField()
    queued_at = UtcField()
    started_at = UtcField(allow_null=True)
    finished_at = UtcField(allow_null=True)
    last_sign_of_life = UtcField(allow_null=True)
    failure = FailureSerializer(allow_null=True)
    waiting_reason = serializers.CharField(source="waiting.reason")
    waiting_advice = serializers.CharField(source="waiting.advice")
    flags = serializers.SerializerMethodField()
    open_flags = serializers.SerializerMethodField()

    def get_flags(self, run: RunView) -> list[str]:
        """Return the confirmed codes."""
        return list(self._flags(run).confirmed)

    def get_open_flags(self, run: RunView) -> list[str] | None:
        """Return the codes that wait for a verdict."""
        codes = self._flags(run).open
        return None if codes is None else list(codes)

    def _flags(self, run: RunView) -> RunFlags:
        return self.context["flags"][run.id]


class SubmissionSerializer(serializers.Serializer):
    """A submission with its run; the view adds the team's quota where one submission is shown.

    `disqualified_for` is why an organizer took it off the board, or null.
    `is_final`: its team chose to be ranked by it.
    """

    id = serializers.UUIDField()
    competition = serializers.CharField()
    phase = serializers.CharField()
    team = serializers.CharField(source="team_slug")
    name = serializers.CharField()
    kind = serializers.CharField()
    note = serializers.CharField()
    created_at = UtcField()
    archive_sha256 = serializers.CharField()
    disqualified_for = serializers.SerializerMethodField()
    is_final = serializers.BooleanField()
    run = RunSerializer()

    def get_disqualified_for(self, submission: SubmissionView) -> str | None:
        """Return the reason."""
        return submission.disqualified_for or None


class SubmissionWithQuotaSerializer(SubmissionSerializer):
    """A submission, and what its team has left in the phase: null for those who are not of the team."""

    quota = QuotaSerializer(allow_null=True)


class LogSerializer(serializers.Serializer):
    """A stretch of log."""

    next_offset = serializers.IntegerField()
    text = serializers.CharField()
    withheld = serializers.BooleanField()
    ended = serializers.BooleanField()


class LogFromSerializer(LogSerializer):
    """A stretch of log and where it begins."""

    offset = serializers.IntegerField()


class ResultSerializer(serializers.Serializer):
    """The aggregates of a run; the view adds the values of the public pairs."""

    suite = serializers.CharField()
    n = serializers.IntegerField()
    n_valid = serializers.IntegerField()
    scores = serializers.DictField(child=EstimateSerializer())


class PairScoreSerializer(serializers.Serializer):
    """The values of one public pair; where there are none, `invalid` says why and there is no output."""

    id = serializers.CharField(source="pair_name")
    style_family = serializers.CharField()
    invalid = serializers.CharField()
    seconds = NumberField(allow_null=True)
    values = serializers.DictField(child=NumberField())
    output_url = serializers.SerializerMethodField()

    def get_output_url(self, score: PublicPairScore) -> str | None:
        """Return the address of the stylized image."""
        if score.invalid:
            return None
        path = reverse("output_image", args=[self.context["run_id"], score.pair_pk])
        return self.context["request"].build_absolute_uri(path)


class ResultWithPairsSerializer(ResultSerializer):
    """The result of a run: aggregates over the hidden pairs, single values of public pairs only."""

    pairs = PairScoreSerializer(many=True)


class OutputSerializer(serializers.Serializer):
    """The stylized image of a public pair."""

    id = serializers.CharField(source="pair_name")
    style_family = serializers.CharField()
    culture = serializers.CharField()
    content_kind = serializers.CharField()
    seconds = NumberField()
    output_url = serializers.SerializerMethodField()

    def get_output_url(self, output: OutputView) -> str:
        """Return the address of the image."""
        path = reverse("output_image", args=[self.context["run_id"], output.pair_pk])
        return str(self.context["request"].build_absolute_uri(path))
