"""The list of all attacks: archives that are refused, and programs that reach nothing."""

from collections import Counter
from collections.abc import Sequence

from tests.attacks.archives import HOSTILE_ARCHIVES
from tests.attacks.attack import Attack, archive
from tests.attacks.bombs import BOMBS
from tests.attacks.builders import HostileArchive
from tests.attacks.formats import FORMATS
from tests.attacks.generators import BROKEN, Broken
from tests.attacks.kernel import KERNEL
from tests.attacks.reach import FILES, NETWORK, PROCESSES

# What an archive tries that breaks a rule, and what stops it.
_RULES = {
    "PATH_TRAVERSAL": ("write beside its folder", "names are checked before anything is written"),
    "ABSOLUTE_PATH": ("write to a place of its choice", "names are checked before anything is written"),
    "BACKSLASH": (
        "write beside its folder on another system",
        "names are checked before anything is written",
    ),
    "CONTROL_CHARACTER": ("show another name than it has", "names are printable"),
    "NAME_TOO_LONG": ("break what handles names", "names have a length"),
    "TOO_DEEP": ("break what walks folders", "folders have a depth"),
    "EMPTY_NAME": ("be a file without a name", "names are checked before anything is written"),
    "UNSAFE_NAME": ("mean something else on another system", "names are checked before anything is written"),
    "NAME_ENCODING": ("have two names, one for each reader", "names are ASCII or marked as UTF-8"),
    "DUPLICATE_NAME": ("be checked as one file and used as another", "each name stands once"),
    "COLLIDING_NAMES": ("be two files here and one elsewhere", "names differ in more than case or form"),
    "FILE_AS_FOLDER": ("be a file and a folder", "the tree is checked as a whole"),
    "NOT_REGULAR": ("be a link, a device or a program with rights", "plain files and folders only"),
    "ENCRYPTED": ("hide its content from the check", "no encryption"),
    "UNSUPPORTED_METHOD": ("reach a rare decompressor", "stored and deflated data only"),
    "ZIP64": ("lie about sizes", "no zip64, which no archive of allowed size needs"),
    "HEADER_MISMATCH": ("be two archives, one for each reader", "both headers of an entry say the same"),
    "BAD_DIRECTORY": ("be read differently by different readers", "the directory is read strictly"),
    "NOT_A_ZIP": ("be something else", "the first and last bytes are those of an archive"),
    "EXTRA_DATA": ("carry what no reader sees", "every byte belongs to an entry"),
    "OVERLAP": ("unpack the same bytes many times", "entries do not overlap"),
    "TOO_MANY_ENTRIES": ("make more files than a disk can bear", "a number of entries"),
    "COMPRESSION_RATIO": ("fill the disk from a small file", "a ratio of sizes"),
    "CORRUPT_DATA": ("give more data than promised", "bytes are counted while they are written"),
    "TOO_LARGE": ("fill disk or memory", "sizes are summed before anything is written"),
    "NO_MANIFEST": ("be nothing in particular", "the manifest is needed"),
    "INVALID_MANIFEST": (
        "have its manifest do more than describe",
        "a strict schema without limits or commands",
    ),
    "MISSING_FILE": ("run what is not in the archive", "entry and weights are files of the archive"),
    "DIGEST_MISMATCH": ("be another file than it says", "digests are checked"),
    "BAD_WEIGHTS": ("carry a program as weights", "weights are looked into, and never loaded"),
}
# What stops a program that fails as it should.
_ENDINGS = {
    "LOAD_TIMEOUT": "a clock that is not the generator's; the end of the namespace",
    "PAIR_TIMEOUT": "a clock that is not the generator's; the end of the namespace",
    "RUN_TIMEOUT": "a clock that is not the generator's; the end of the namespace",
    "CRASHED": "a pipe that ends is no answer",
    "OUT_OF_MEMORY": "an error is no answer",
    "PROTOCOL": "frames of one exact size, with a number that nobody can guess",
}


def _refused(hostile: HostileArchive) -> Attack:
    tries, stopped_by = _RULES[hostile.reason]
    return Attack(hostile.name, tries, stopped_by, "INVALID_BUNDLE", hostile.build, reason=hostile.reason)


def _ended(broken: Broken) -> Attack:
    tries = "cheat with its answers" if broken.code == "PROTOCOL" else "give no answer, or too late"
    return Attack(
        broken.name,
        tries,
        _ENDINGS[broken.code],
        broken.code,
        lambda: archive(broken.source),
        says=broken.says,
        limits=broken.limits,
        pairs=broken.pairs,
        side=broken.side,
    )


REFUSED = tuple(_refused(hostile) for hostile in HOSTILE_ARCHIVES)
ENDED = tuple(_ended(broken) for broken in BROKEN if broken.code in _ENDINGS)
PROGRAMS = (*KERNEL, *FILES, *PROCESSES, *NETWORK, *BOMBS, *FORMATS, *ENDED)
ATTACKS = (*REFUSED, *PROGRAMS)


def table(attacks: Sequence[Attack] = ATTACKS) -> str:
    """Write the list as a table in Markdown, with a sum of the endings."""
    rows = [("attack", "tries to", "stopped by", "ends as"), ("---", "---", "---", "---")]
    rows += [(attack.name, attack.tries, attack.stopped_by, attack.ending) for attack in attacks]
    counts = Counter(attack.code or "runs, reaches nothing" for attack in attacks)
    total = ", ".join(f"{code} {count}" for code, count in counts.most_common())
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", f"{len(attacks)} attacks: {total}."])
