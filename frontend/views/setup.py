"""Set a competition up in seven pages, each saved on its own; what is refused stays on its page and is kept."""

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.models import User
from competitions.errors import CompetitionError, NotFound
from competitions.selectors import drafts as selectors
from competitions.selectors.drafts import DraftView
from competitions.services import drafts as services
from competitions.setting_up import Freedom, Step
from evaluation.intake.example import example_zip
from frontend.explain import explain
from frontend.organizer_forms import (
    BasicsForm,
    LimitsForm,
    NewForm,
    PeopleForm,
    PhaseFormSet,
    StepForm,
    step_form,
)
from frontend.setup_pages import preview_of, step_context
from frontend.viewer import signed_in_user


@never_cache
@login_required
@require_safe
def organize(request: HttpRequest) -> HttpResponse:
    """List the competitions that the viewer organizes."""
    found = selectors.organized(signed_in_user(request))
    return render(request, "frontend/organize/list.html", {"competitions": found})


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Begin a competition with its address and texts."""
    form, problem = NewForm(request.POST or None), None
    if form.is_valid():
        fields = dict(form.cleaned_data)
        slug = fields.pop("slug")
        try:
            services.start_draft(user=signed_in_user(request), slug=slug, texts=fields)
        except CompetitionError as error:
            problem = error
        except ValidationError as error:
            _put_beside(form, error)
        else:
            messages.success(request, _("Saved. Nobody sees the competition before you publish it."))
            return redirect("setup", slug, Step.TASK)
    context = {
        "form": form,
        "problem": explain(problem) if problem else None,
        "preview": preview_of(None, form),
        "steps": list(Step),
    }
    return render(
        request, "frontend/organize/new.html", context, status=400 if problem or form.errors else 200
    )


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, slug: str, step: str) -> HttpResponse:
    """Show one step with what was typed last, or save it."""
    user, place = signed_in_user(request), _step(step)
    draft = selectors.get_draft(slug, user)
    if place in (Step.DATA, Step.PUBLISH):
        return render(request, f"frontend/organize/{place}.html", step_context(draft, place, user))
    form = step_form(place, draft, request.POST if request.method == "POST" else None)
    problem = None
    if request.method == "POST":
        problem = _save(slug, user, form)
        if problem is None and form.is_valid():
            messages.success(request, _("Saved."))
            return redirect("setup", slug, _next(place))
        if not _is_locked(draft, place):
            services.keep_typed(slug=slug, user=user, step=place, typed=_typed(request))
            draft = selectors.get_draft(slug, user)
    context = step_context(draft, place, user) | {
        "form": form,
        "problem": explain(problem) if problem else None,
        "preview": preview_of(draft, form),
        "is_restored": request.method != "POST" and bool(draft.typed.get(place)),
    }
    is_wrong = request.method == "POST"
    return render(request, f"frontend/organize/{place}.html", context, status=400 if is_wrong else 200)


@login_required
@require_POST
def preview(request: HttpRequest, slug: str | None = None) -> HttpResponse:
    """Show the card as it would be with what is typed at this moment; nothing is saved."""
    draft = selectors.get_draft(slug, signed_in_user(request)) if slug else None
    is_dates = "phases-TOTAL_FORMS" in request.POST
    form: StepForm = PhaseFormSet(request.POST, prefix="phases") if is_dates else BasicsForm(request.POST)
    context = {"preview": preview_of(draft, form)}
    return render(request, "frontend/_partials/setup_preview.html", context)


@require_safe
def example(request: HttpRequest) -> HttpResponse:
    """Give out the example of the layout."""
    response = HttpResponse(example_zip(), content_type="application/zip")
    response["Content-Disposition"] = 'attachment; filename="pastiche-data-example.zip"'
    return response


def _save(slug: str, user: User, form: StepForm) -> CompetitionError | None:
    """Hand a valid form over; what the service refuses comes back, or stands beside its field."""
    if not form.is_valid():
        return None
    try:
        _hand_over(slug, user, form)
    except CompetitionError as error:
        return error
    except ValidationError as error:
        _put_beside(form, error)
    return None


def _hand_over(slug: str, user: User, form: StepForm) -> None:
    if isinstance(form, forms.BaseFormSet):
        windows = [row.window for row in form.forms if row.window]
        services.save_dates(slug=slug, user=user, windows=windows)
        return
    if isinstance(form, LimitsForm):
        services.save_limits(slug=slug, user=user, limits=form.limits)
    elif isinstance(form, PeopleForm):
        is_listed = form.cleaned_data["is_listed"]
        services.save_people(slug=slug, user=user, usernames=form.usernames, is_listed=is_listed)
    elif isinstance(form, BasicsForm):
        services.save_basics(slug=slug, user=user, texts=form.cleaned_data)
    else:
        services.save_task(slug=slug, user=user, suite=form.cleaned_data["suite"])


def _typed(request: HttpRequest) -> dict[str, list[str]]:
    """Return what was typed, without what the page itself added against forged forms."""
    return {name: values for name, values in request.POST.lists() if name != "csrfmiddlewaretoken"}


def _put_beside(form: StepForm, error: ValidationError) -> None:
    """Put what a service refuses beside its field, or above all fields."""
    if isinstance(form, forms.BaseFormSet):
        form.non_form_errors().extend(error.messages)
        return
    for field, texts in error.message_dict.items():
        form.add_error(field if field in form.fields else None, texts)


def _step(name: str) -> Step:
    if name not in list(Step):
        raise NotFound("There is no such step.")
    return Step(name)


def _next(step: Step) -> Step:
    order = list(Step)
    return order[order.index(step) + 1]


def _is_locked(draft: DraftView, step: Step) -> bool:
    return any(one.name == step and one.freedom is Freedom.LOCKED for one in draft.steps)
