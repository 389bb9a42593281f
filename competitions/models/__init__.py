"""The tables of the domain; integrity lives here as constraints, behavior lives in services."""

from competitions.models.artifact import Artifact
from competitions.models.competition import Competition, MetricSuite, Organizer, Phase
from competitions.models.dataset import Dataset, DatasetVersion, ImagePair
from competitions.models.draft import Announcement, Draft
from competitions.models.flag import RunFlag
from competitions.models.leaderboard import BoardVersion, LeaderboardRow, LeaderboardSnapshot
from competitions.models.outbox import Outbox
from competitions.models.run import Run, RunEvent, RunLogChunk, RunOutput, Score
from competitions.models.shard import RunShard
from competitions.models.submission import Disqualification, FinalChoice, QuotaEntry, Submission
from competitions.models.survey import DataSurvey
from competitions.models.upload import IdempotencyKey, Upload, UploadPart
from competitions.models.webhook import PhaseNotice, Webhook, WebhookDelivery
from competitions.models.worker import Worker

__all__ = [
    "Announcement",
    "Artifact",
    "BoardVersion",
    "Competition",
    "DataSurvey",
    "Dataset",
    "DatasetVersion",
    "Disqualification",
    "Draft",
    "FinalChoice",
    "IdempotencyKey",
    "ImagePair",
    "LeaderboardRow",
    "LeaderboardSnapshot",
    "MetricSuite",
    "Organizer",
    "Outbox",
    "Phase",
    "PhaseNotice",
    "QuotaEntry",
    "Run",
    "RunEvent",
    "RunFlag",
    "RunLogChunk",
    "RunOutput",
    "RunShard",
    "Score",
    "Submission",
    "Upload",
    "UploadPart",
    "Webhook",
    "WebhookDelivery",
    "Worker",
]
