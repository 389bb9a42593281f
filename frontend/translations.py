"""Find all texts of the pages, compare them with the catalogues, and compile these; needs no gettext programs."""

import ast
import inspect
import io
import os
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from accounts.adapter import MAIL_FAILED
from accounts.errors import TeamError
from competitions import rules, setting_up, webhook_line
from competitions.errors import CompetitionError
from competitions.flags import FLAG_TEXTS
from competitions.selectors import access, drafts, submissions
from competitions.selectors import surveys as survey_selectors
from competitions.selectors import uploads as upload_selectors
from competitions.selectors import webhooks as hook_selectors
from competitions.selectors.status import NO_DEVICE, NO_MEMORY, NO_RUNTIME, NO_WORKER
from competitions.services import drafts as drafting
from competitions.services import (
    finals,
    flags,
    intake,
    moderation,
    publishing,
    queue,
    surveys,
    uploads,
    webhooks,
)
from competitions.services import submissions as handing_in
from evaluation.failures import FAILURES
from evaluation.intake.findings import DETAILS, KINDS
from evaluation.metrics.registry import METRIC_SPECS
from evaluation.obstacles import OBSTACLES
from evaluation.spec import load_suite, suite_ids

Refusal = CompetitionError | TeamError
ROOM = Path(__file__).parent
LOCALE = ROOM / "locale"
# What people do on pages ends in these modules.
REFUSING = (
    access,
    drafts,
    drafting,
    finals,
    flags,
    handing_in,
    intake,
    moderation,
    publishing,
    queue,
    rules,
    setting_up,
    submissions,
    surveys,
    survey_selectors,
    uploads,
    upload_selectors,
    hook_selectors,
    webhook_line,
    webhooks,
)
KEYWORDS = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
}
HEADER = """msgid ""
msgstr ""
"Language: {language}\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: {plurals}\\n"

"""


def all_texts() -> Catalog:
    """Collect every text that a page can show: of templates, of Python modules, and of other rooms."""
    found = Catalog(charset="utf-8")
    for path in sorted(ROOM.rglob("*.html")):
        _add(found, path, _as_python(templatize(path.read_text(encoding="utf-8"))))
    for path in sorted(ROOM.rglob("*.py")):
        _add(found, path, path.read_text(encoding="utf-8"))
    for text in foreign_texts():
        found.add(text, locations=[("other rooms", 1)])
    return found


def foreign_texts() -> Iterator[str]:
    """List the texts that pages take over from the other rooms: failures, metrics, flags, errors, obstacles."""
    for failure in FAILURES.values():
        yield from (failure.sentence, failure.advice)
    for spec in METRIC_SPECS.values():
        yield from (spec.title, spec.misses)
    yield from (*FLAG_TEXTS.values(), MAIL_FAILED, *drafts.PROBLEMS, *webhook_line.PROBLEMS)
    for kind in KINDS.values():
        yield from (kind.sentence, kind.advice)
    yield from DETAILS.values()
    yield from (load_suite(name).title for name in suite_ids())
    for error in (*_errors(CompetitionError), *_errors(TeamError)):
        yield " ".join((error.__doc__ or "").split())
        if error.fix:
            yield error.fix
    for waiting in (NO_WORKER, NO_DEVICE, NO_MEMORY, NO_RUNTIME):
        yield from (waiting.reason, waiting.advice)
    for obstacle in OBSTACLES.values():
        yield from (obstacle.sentence, obstacle.advice)
    for module in REFUSING:
        yield from _refusals(module)


def catalogues() -> Iterator[tuple[Path, Catalog]]:
    """Read the catalogue of each language."""
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/django.po")):
        with path.open("rb") as file:
            yield path, read_po(file, locale=path.parents[1].name)


def faults(catalogue: Catalog) -> list[str]:
    """List what is wrong with a catalogue: texts that are missing, empty, doubtful, or no longer used."""
    wanted = {(message.id, message.context) for message in all_texts() if message.id}
    messages = {(message.id, message.context): message for message in catalogue if message.id}
    missing = [f"missing: {key[0]}" for key in wanted - messages.keys()]
    unused = [f"unused: {key[0]}" for key in messages.keys() - wanted]
    wrong = [f"{flaw}: {key[0]}" for key, message in messages.items() for flaw in _flaws(message)]
    return sorted(missing + unused + wrong)


def update_catalogues() -> None:
    """Bring the catalogues in line with the texts; new ones are empty until somebody translates them."""
    for path, catalogue in catalogues():
        catalogue.update(all_texts(), no_fuzzy_matching=True)
        for (
            message
        ) in catalogue:  # flags such as python-format say nothing here, our own test compares the holes
            message.flags -= {"python-format", "python-brace-format"}
        body = io.BytesIO()
        write_po(body, catalogue, omit_header=True, ignore_obsolete=True, no_location=True, sort_output=True)
        header = HEADER.format(language=path.parents[1].name, plurals=catalogue.plural_forms)
        path.write_bytes(header.encode() + body.getvalue())


def compile_catalogues() -> list[Path]:
    """Write the .mo file of each language beside its catalogue, in one step, and return their paths."""
    written = []
    for path, catalogue in catalogues():
        target = path.with_suffix(".mo")
        packed = io.BytesIO()
        write_mo(packed, catalogue)
        temporary = target.with_suffix(f".{os.getpid()}.mo")
        temporary.write_bytes(packed.getvalue())
        temporary.replace(target)
        written.append(target)
    return written


def _add(found: Catalog, path: Path, source: str) -> None:
    place = str(path.relative_to(ROOM))
    rows = extract("python", io.BytesIO(source.encode()), keywords=KEYWORDS)
    for line, text, _comments, context in rows:
        found.add(text, locations=[(place, line)], context=context)


def _as_python(source: str) -> str:
    """Take the margin off each line: the reader of Python would stumble over a template's."""
    return "\n".join(line.strip() for line in source.splitlines())


def _flaws(message: Message) -> Iterator[str]:
    strings = message.string if isinstance(message.string, tuple) else (message.string,)
    if not all(strings):
        yield "untranslated"
    if message.fuzzy:
        yield "fuzzy"
    source = message.id[-1] if isinstance(message.id, tuple) else str(message.id)
    if any(_holes(str(string)) != _holes(source) for string in strings if string):
        yield "placeholders differ"


def _holes(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def _refusals(module: ModuleType) -> Iterator[str]:
    """List the sentences and fixes that a module raises; those put together at run time stay in English.

    Errors of ours are raised by their bare name, those of other libraries (`io.UnsupportedOperation`) are not.
    """
    for node in ast.walk(ast.parse(inspect.getsource(module))):
        if not (isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call)):
            continue
        if isinstance(node.exc.func, ast.Name):
            fixes = [word.value for word in node.exc.keywords if word.arg == "fix"]
            for text in (*node.exc.args, *fixes):
                if isinstance(text, ast.Constant) and isinstance(text.value, str):
                    yield text.value


def _errors(kind: type[Refusal]) -> Iterator[type[Refusal]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _errors(child)
