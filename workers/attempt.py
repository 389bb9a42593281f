"""One attempt at a run, or at a shard of it: what has to be done, by whom, and where its files lie."""

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

from django.conf import settings

from competitions.ranking import PairDesign
from competitions.selectors.work import Assignment, StoredOutput
from competitions.services.runs import Claim
from competitions.services.submissions import archive_limits
from evaluation.generation.driver import Driver
from evaluation.pairs import Pair, read_pairs
from evaluation.spec import parse_suite
from workers.cores import usable_cores
from workers.drivers import slot_uid
from workers.generator import Generator
from workers.keeper import Keeper
from workers.sandbox.unpacking import unpack_as
from workers.scorer import Question
from workers.station import Station
from workers.workspace import dataset_folder, fetch


@dataclass(frozen=True)
class Attempt:
    """The title to a run, its assignment, the worker, who keeps it alive, and its private folder."""

    held: Claim
    work: Assignment
    station: Station
    keeper: Keeper
    folder: Path

    @property
    def name(self) -> str:
        """Name the attempt: outputs of two attempts are never measured together."""
        return f"{self.held.run_id}.{self.held.fence}"

    @cached_property
    def question(self) -> Question:
        """Say what the scorer is asked."""
        return Question(self.work.suite_document, dataset_folder(settings.WORKER_DIR, self.work))

    @cached_property
    def pairs(self) -> Mapping[str, Pair]:
        """Read the dataset's pairs by name."""
        return {pair.id: pair for pair in read_pairs(self.question.pairs_folder)}

    @cached_property
    def driver(self) -> Driver:
        """Choose the driver that may run this archive."""
        return self.station.driver_for(self.work)

    @cached_property
    def generator(self) -> Generator:
        """Fetch and unpack the archive; the generator is loaded when it is first needed."""
        archive = fetch(self.work.archive_sha256, self.folder / "archive.zip", is_kept=True)
        manifest = unpack_as(slot_uid(self.station.slot), archive, self.folder / "bundle", archive_limits())
        return Generator(self.driver, self.folder / "bundle", manifest, self.work.limits, self.keeper)

    @property
    def design(self) -> list[PairDesign]:
        """List what the statistics need to know of the pairs."""
        return [
            PairDesign(pair.name, pair.split, pair.content_sha256, pair.style_sha256, pair.culture)
            for pair in self.work.pairs
        ]

    def output(self, pair: str) -> Path:
        """Return where a pair's stylized image lies on this worker."""
        return self.folder / f"{pair}.png"

    def fetched(self, stored: StoredOutput) -> Path:
        """Return where a kept picture lies on this worker, after fetching it if need be."""
        path = self.output(stored.pair)
        return path if path.exists() else fetch(stored.sha256, path)

    def whereabouts(self) -> dict[str, object]:
        """Write down where pictures were made: worker, driver and software."""
        return {
            "worker": self.station.name,
            "driver": self.driver.describe() if not self.work.is_rescoring else {"driver": "none"},
            "is_sandboxed": not self.work.is_rescoring and self.driver.is_sandbox,
            "environment": {"python": platform.python_version()}
            | {name: version(name) for name in ("torch", "onnxruntime", "numpy", "scikit-image")},
        }

    def provenance(self) -> dict[str, object]:
        """Write down everything that a stranger needs to repeat the run."""
        suite = parse_suite(self.work.suite_document)
        return {
            "archive": self.work.archive_sha256,
            "dataset": self.work.dataset_digest,
            "suite": suite.id,
            "suite_digest": suite.digest,
            "backbone": suite.backbone,
            "backbone_digest": suite.backbone_digest,
            "networks": suite.networks,
            "limits": vars(self.work.limits),
            **self.whereabouts(),
        }


def generator_threads() -> int:
    """Return how many threads a generator may use: the setting, or all cores of this worker."""
    return settings.COMPUTE_THREADS or usable_cores()
