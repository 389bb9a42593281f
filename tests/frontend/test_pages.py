"""Every page, as everybody, in both languages: who may see it, and what holds for all of them."""

from html.parser import HTMLParser

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, reverse

from accounts.models import Team, User
from competitions.models import Draft, Phase, Run, Submission, Webhook, WebhookDelivery
from frontend.urls import urlpatterns

ROLES = ("nobody", "stranger", "researcher", "organizer", "staff")
SIGNED_IN = {
    "submit",
    "submission_list",
    "settings_tokens",
    "webhook_list",
    "organize",
    "setup_new",
    "account_logout",
    "account_reauthenticate",
    "account_email",
    "account_change_password",
    "mfa_index",
    "team_list",
    "team_join",
}
FOR_STRANGERS = {"account_login", "account_signup"}
OWN_TEAM = {"team", "webhook"}
# What they show depends on a second factor, which has tests of its own.
NEED_FACTOR = {
    "mfa_deactivate_totp": 404,
    "mfa_view_recovery_codes": 404,
    "mfa_download_recovery_codes": 404,
    "mfa_authenticate": 302,
    "mfa_reauthenticate": 302,
    "mfa_activate_totp": 302,
    "mfa_generate_recovery_codes": 302,
    "account_set_password": 302,
}
WEBHOOK = "5f0c7f0e-9f5b-4d0c-8f6c-0d6a2f3f1b7a"
POLICY = {
    "default-src": "'self'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
DECISIONS = {
    "submission_cancel",
    "submission_retry",
    "submission_rerun",
    "submission_disqualify",
    "submission_reinstate",
    "run_cancel",
    "flag_review",
    "token_revoke",
    "webhook_delete",
    "webhook_replay",
    "submission_final",
    "team_invite",
    "invitation_revoke",
    "team_leave",
    "member_change",
    "announce",
    "rescore",
    "setup_preview",
    "setup_new_preview",
    "data_again",
    "data_stop",
    "data_upload",
    "data_folder",
    "dry_run_start",
    "publish",
}
POST_ONLY = DECISIONS | {"set_shortcuts", "set_theme"}
REDIRECTS = {"set_language", "submission_progress", "dry_run_progress", "data_progress"}
ORGANIZERS_ONLY = {"organizer", "setup"}
NOBODYS = {"report_thumbnail"}  # there is no such picture
TEAM_ONLY = {"submission_log"}
NOT_THERE = {"baseline"}  # the only generator is an entry
NOT_PAGES = {
    "pair_image",
    "output_image",
    "pair_thumbnail",
    "output_thumbnail",
    "leaderboard_download",
    "report_thumbnail",
    "setup_example",
}


class Page(HTMLParser):
    """What the rules for all pages ask of one."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.languages: list[str] = []
        self.headings: list[str] = []
        self.forbidden: list[str] = []
        self.without_alt: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        if tag == "html":
            self.languages.append(values.get("lang") or "")
        if tag == "h1":
            self.headings.append(tag)
        if tag == "style" or "style" in values or (tag == "script" and "src" not in values):
            self.forbidden.append(tag)
        self.forbidden += [name for name in values if name.startswith("on")]
        for name in ("src", "href", "action"):
            if (values.get(name) or "").startswith(("http:", "https:", "//", "data:", "javascript:")):
                self.forbidden.append(str(values[name]))
        if tag == "img" and "alt" not in values:
            self.without_alt.append(str(values))


def arguments(pattern: URLPattern, run: Run, phase: Phase) -> dict[str, str]:
    known = {
        "slug": "small",
        "submission_id": str(run.submission_id),
        "run_id": str(run.pk),
        "pair_pk": str(phase.dataset_version.pairs.filter(split="public").values_list("pk", flat=True)[0]),
        "side": "content",
        "width": "96",
        "pair_name": phase.dataset_version.pairs.filter(split="public").values_list("name", flat=True)[0],
        "file_name": "scores.csv",
        "token_id": "1",
        "flag_id": "1",
        "step": "basics",
        "sha256": "0" * 64,
        "code": "OUT_OF_MEMORY",
        "token": "x",
        "key": "x",
        "uidb36": "1",
        "invitation_id": "1",
        "user_id": "1",
        "webhook_id": WEBHOOK,
        "delivery_id": WEBHOOK,
    }
    if str(pattern.pattern).startswith("teams/"):
        known["slug"] = "rosalba"
    known |= {"name": run.submission.name, "team": "rosalba"}
    return {name: known[name] for name in pattern.pattern.regex.groupindex}


def address(pattern: URLPattern, run: Run, phase: Phase) -> str:
    return reverse(str(pattern.name), kwargs=arguments(pattern, run, phase))


def policy_of(answer: HttpResponse) -> dict[str, str]:
    """Read the content policy of an answer."""
    parts = answer.headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def hidden_things(phase: Phase) -> list[bytes]:
    """List what no answer may hold: names, digests and addresses of hidden pairs."""
    found = []
    for pair in phase.dataset_version.pairs.filter(split="hidden").select_related("content", "style"):
        found += [pair.name, pair.content.sha256, pair.style.sha256, f"/images/pairs/{pair.pk}/"]
    return [text.encode() for text in found]


def expected_status(name: str, role: str) -> int:
    if name in POST_ONLY:
        return 302 if role == "nobody" and name in DECISIONS else 405
    if name in REDIRECTS or (name in SIGNED_IN and role == "nobody"):
        return 302
    if name in ORGANIZERS_ONLY | NOBODYS and role == "nobody":
        return 302
    if name in NOBODYS or (name in ORGANIZERS_ONLY and role in ("stranger", "researcher")):
        return 404
    if name in FOR_STRANGERS and role != "nobody":
        return 302
    if name in NEED_FACTOR:
        return 302 if role == "nobody" else NEED_FACTOR[name]
    if name in OWN_TEAM and role != "researcher":
        return 302 if role == "nobody" else 404
    if name in NOT_THERE:
        return 404
    if name in TEAM_ONLY and role in ("nobody", "stranger"):
        return 404
    return 200


@pytest.fixture(autouse=True)
def draft(phase: Phase) -> Draft:
    """Let the competition have been set up in the browser."""
    return Draft.objects.create(competition=phase.competition)


@pytest.fixture(autouse=True)
def webhook(team: Team) -> Webhook:
    """Let the researcher have a webhook with something in its log."""
    hook = Webhook.objects.create(pk=WEBHOOK, team=team, url="https://example.org/", events="run.finished")
    WebhookDelivery.objects.create(webhook=hook, event="run.finished", body="{}")
    return hook


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest, client: Client) -> str:
    if request.param != "nobody":
        client.force_login(request.getfixturevalue(request.param))
    return str(request.param)


def test_every_address_answers_each_role_as_it_should(
    client: Client, role: str, scored: Run, phase: Phase
) -> None:
    secrets = hidden_things(phase)
    for pattern in urlpatterns:
        answer = client.get(address(pattern, scored, phase))
        body = b"".join(answer) if answer.streaming else answer.content
        assert answer.status_code == expected_status(str(pattern.name), role), pattern.name
        assert policy_of(answer) == POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert [secret for secret in secrets if secret in body] == []


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_every_page_keeps_the_rules_for_all(
    client: Client, researcher: User, organizer: User, scored: Run, phase: Phase, language: str
) -> None:
    client.cookies["django_language"] = language
    organizing = Client()
    organizing.force_login(organizer)
    organizing.cookies["django_language"] = language
    signed_in = Client()
    signed_in.force_login(researcher)
    signed_in.cookies["django_language"] = language
    for pattern in urlpatterns:
        if pattern.name in NOT_PAGES | REDIRECTS | POST_ONLY | NEED_FACTOR.keys():
            continue
        browser = client if pattern.name in FOR_STRANGERS else signed_in
        browser = organizing if pattern.name in ORGANIZERS_ONLY else browser
        page = Page(browser.get(address(pattern, scored, phase)).content.decode())
        assert page.languages == ["zh-Hans" if language == "zh-hans" else "en"], pattern.name
        assert len(page.headings) == 1, pattern.name
        assert page.forbidden == [], pattern.name
        assert page.without_alt == [], pattern.name
        assert len(page.ids) == len(set(page.ids)), pattern.name


@pytest.mark.parametrize(
    "path",
    ["/nope/", "/c/nope/", "/c/nope/leaderboard/", "/s/7a0c2b1e-0000-4000-8000-000000000000/", "/s/x/"],
)
def test_what_does_not_exist_is_a_page_in_the_frame(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    page = answer.content.decode()
    assert "This page does not exist" in page
    assert 'role="search" action="/competitions/"' in page
    assert 'href="/competitions/"' in page
    assert policy_of(answer) == POLICY


def test_a_waiting_submission_does_not_exist_for_strangers(
    client: Client, submission: Submission, stranger: User
) -> None:
    client.force_login(stranger)
    for tail in ("", "log/"):
        assert client.get(f"/s/{submission.pk}/{tail}").status_code == 404
    progress = client.get(f"/s/{submission.pk}/progress/", headers={"hx-request": "true"})
    assert progress.status_code == 404
    assert client.post(f"/s/{submission.pk}/cancel/").status_code == 404
