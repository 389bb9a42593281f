"""The closed list of reasons for which a run fails: code, whose fault, a sentence, what to try."""

from dataclasses import dataclass
from enum import StrEnum


class Fault(StrEnum):
    """Whose fault a failure is; only the participant's faults use up a run."""

    PARTICIPANT = "participant"
    PLATFORM = "platform"
    NONE = "none"


@dataclass(frozen=True)
class Failure:
    """One way for a run to fail."""

    code: str
    fault: Fault
    sentence: str
    advice: str


_LIST = (
    Failure(
        "INVALID_BUNDLE",
        Fault.PARTICIPANT,
        "The archive breaks a rule of the submission format.",
        "Run `pastiche check ARCHIVE`: it names the file and the rule.",
    ),
    Failure(
        "MISSING_FILE",
        Fault.PARTICIPANT,
        "The generator asked for a file that is not in its archive.",
        "Put every file that the generator reads into the archive and open it relative to bundle_dir.",
    ),
    Failure(
        "LOAD_FAILED",
        Fault.PARTICIPANT,
        "The generator could not be loaded.",
        "Run `python -m evaluation generate ARCHIVE` on the public pairs; the log shows the exception.",
    ),
    Failure(
        "LOAD_TIMEOUT",
        Fault.PARTICIPANT,
        "The generator was not ready within the load time limit.",
        "Load smaller weights or do less work at start; the limit stands on the competition page.",
    ),
    Failure(
        "PAIR_TIMEOUT",
        Fault.PARTICIPANT,
        "The generator took longer than the time limit for one pair.",
        "Make the generator faster, or lower its number of steps; the limit stands on the competition page.",
    ),
    Failure(
        "RUN_TIMEOUT",
        Fault.PARTICIPANT,
        "The run took longer than the time limit for the whole run.",
        "Make the generator faster: the average pair must stay below the run limit divided by the pairs.",
    ),
    Failure(
        "OUT_OF_MEMORY",
        Fault.PARTICIPANT,
        "The generator used more memory than the limit.",
        "Use a smaller network, half precision or no gradients; the limit stands on the competition page.",
    ),
    Failure(
        "CRASHED",
        Fault.PARTICIPANT,
        "The generator's process ended before all pairs were done.",
        "Run `python -m evaluation generate ARCHIVE` on the public pairs and read the log.",
    ),
    Failure(
        "PROTOCOL",
        Fault.PARTICIPANT,
        "The generator wrote something other than one answer per pair to the answer channel.",
        "Do not write to file descriptors that the generator did not open; print() is fine.",
    ),
    Failure(
        "BAD_OUTPUT",
        Fault.PARTICIPANT,
        "The generator returned something other than a uint8 image of the size of its content image.",
        "Return a numpy array of shape (H, W, 3), dtype uint8, with H and W of the content image.",
    ),
    Failure(
        "NONDETERMINISTIC",
        Fault.PARTICIPANT,
        "The generator declares itself deterministic but gave two pictures for one pair.",
        'Fix the seed, or set "deterministic": false in manifest.json.',
    ),
    Failure(
        "INFRA",
        Fault.PLATFORM,
        "The platform failed, not the generator. No run was used up.",
        "Nothing is wrong with your archive: submit it again; it has cost you nothing.",
    ),
)

FAILURES: dict[str, Failure] = {failure.code: failure for failure in _LIST}
