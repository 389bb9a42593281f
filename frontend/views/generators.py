"""The card of a generator: what it does, where it comes from, and all its runs."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from competitions.selectors.generators import GeneratorView, get_generator
from frontend.progress import Fact


@require_safe
def generator(request: HttpRequest, name: str, team: str | None = None) -> HttpResponse:
    """Show a baseline, or what a team has entered under one name."""
    found = get_generator(name, request.user, team=team)
    paper = str(found.manifest.get("paper", ""))
    context = {"generator": found, "paper": paper, "facts": _facts(found)}
    return render(request, "frontend/generator.html", context)


def _facts(found: GeneratorView) -> list[Fact]:
    """List what the manifest of the newest version says, as far as it says anything."""
    labels = {
        "version": _("Version"),
        "license": _("License"),
        "training_data": _("Training data"),
        "format": _("Format"),
        "runtime": _("Runtime"),
        "device": _("Device"),
    }
    facts = [Fact(text, str(found.manifest[key])) for key, text in labels.items() if found.manifest.get(key)]
    if "deterministic" in found.manifest:
        promise = _("yes") if found.manifest["deterministic"] else _("no")
        facts.append(Fact(_("Same pair, same picture"), promise))
    return [*facts, Fact(_("Archive (sha256)"), found.archive_sha256)]
