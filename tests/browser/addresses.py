"""Every address of the site: what is looked at, in whose eyes, and what is left out, and why."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.urls import reverse


@dataclass(frozen=True)
class Page:
    """A page to look at; `{braces}` in arguments and query name keys of the stock, `who` is signed in."""

    url: str
    kind: str
    who: str = ""
    arguments: tuple[str, ...] = ()
    query: str = ""
    status: int = 200

    @property
    def name(self) -> str:
        """Return what a test is called after."""
        parts = (self.url, *self.arguments, self.query, self.who)
        return "-".join(part.strip("{}?") for part in parts if part)

    def path(self, keys: Mapping[str, str]) -> str:
        """Write the address."""
        filled = [argument.format(**keys) for argument in self.arguments]
        return reverse(self.url, args=filled) + self.query.format(**keys)


SMALL = ("small",)
STEPS = ("basics", "task", "data", "dates", "limits", "people", "publish")

PAGES = (
    Page("home", "list"),
    Page("competition_list", "list"),
    Page("competition_list", "list", query="?state=closed"),
    Page("competition", "overview", arguments=SMALL),
    Page("competition", "overview", "rosalba", SMALL),
    Page("leaderboard", "board", arguments=SMALL),
    Page("leaderboard", "board", "rosalba", SMALL, "?slice=culture:South&page=3"),
    Page("gallery", "pictures", arguments=SMALL),
    Page("pair", "pictures", arguments=("small", "{pair}")),
    Page("news", "overview", arguments=SMALL),
    Page("compare", "overview"),
    Page("compare", "overview", query="?a={leader}"),
    Page("compare", "pictures", query="?a={leader}&b={second}"),
    Page("baseline", "pictures", arguments=("generator-0000",)),
    Page("generator", "pictures", arguments=("rosalba", "scored")),
    Page("status", "overview"),
    Page("help", "overview"),
    Page("failure_list", "overview"),
    Page("failure_help", "overview", arguments=("PAIR_TIMEOUT",)),
    Page("submission", "pictures", arguments=("{leader}",)),
    Page("submission", "pictures", "rosalba", ("{scored}",)),
    Page("submission", "pictures", "rosalba", ("{failed}",)),
    Page("submission", "pictures", "rosalba", ("{live}",)),
    Page("submission", "pictures", "rosalba", ("{waiting}",)),
    Page("submission", "pictures", "organizer", ("{flagged}",)),
    Page("submission_log", "overview", "rosalba", ("{scored}",)),
    Page("submission_list", "overview", "rosalba"),
    Page("submit", "form", "rosalba", SMALL),
    Page("team_list", "form", "rosalba"),
    Page("team", "form", "rosalba", ("{team}",)),
    Page("team_join", "form", "organizer", ("{invitation}",)),
    Page("settings_tokens", "form", "rosalba"),
    Page("webhook_list", "form", "rosalba"),
    Page("webhook", "form", "rosalba", ("{webhook}",)),
    Page("account_login", "form"),
    Page("account_signup", "form"),
    Page("account_logout", "form", "rosalba"),
    Page("account_inactive", "form"),
    Page("account_reauthenticate", "form", "rosalba"),
    Page("account_email_verification_sent", "form"),
    Page("account_confirm_email", "form", arguments=("used-long-ago",)),
    Page("account_reset_password", "form"),
    Page("account_reset_password_done", "form"),
    Page("account_reset_password_from_key", "form", arguments=("1", "used-long-ago")),
    Page("account_reset_password_from_key_done", "form"),
    Page("account_email", "form", "rosalba"),
    Page("account_change_password", "form", "rosalba"),
    Page("mfa_index", "form", "rosalba"),
    Page("mfa_index", "form", "sofonisba"),
    Page("mfa_activate_totp", "form", "rosalba"),
    Page("mfa_deactivate_totp", "form", "sofonisba"),
    Page("mfa_view_recovery_codes", "form", "sofonisba"),
    Page("mfa_generate_recovery_codes", "form", "sofonisba"),
    Page("mfa_reauthenticate", "form", "sofonisba"),
    Page("organize", "form", "organizer"),
    Page("setup_new", "form", "organizer"),
    Page("organizer", "overview", "organizer", SMALL),
    Page("organizer", "overview", "organizer", ("harbours",)),
    *(Page("setup", "form", "organizer", ("harbours", step)) for step in STEPS),
    Page("competition", "overview", "organizer", ("harbours",)),
)

POST = "it takes forms alone"
FILE = "it answers with a file"
FRAGMENT = "a part of a page, asked for by that page"
LEFT_OUT = {
    "leaderboard_download": FILE,
    "setup_example": FILE,
    "mfa_download_recovery_codes": FILE,
    "pair_image": FILE,
    "pair_thumbnail": FILE,
    "output_image": FILE,
    "output_thumbnail": FILE,
    "report_thumbnail": FILE,
    "submission_progress": FRAGMENT,
    "data_progress": FRAGMENT,
    "dry_run_progress": FRAGMENT,
    "mfa_authenticate": "it comes after a password alone: a test of its own goes there",
    "account_set_password": "accounts have a password from the beginning, so it leads on to changing it",
    "announce": POST,
    "data_again": POST,
    "data_folder": POST,
    "data_stop": POST,
    "data_upload": POST,
    "dry_run_start": POST,
    "flag_review": POST,
    "invitation_revoke": POST,
    "member_change": POST,
    "publish": POST,
    "rescore": POST,
    "run_cancel": POST,
    "set_language": POST,
    "set_shortcuts": POST,
    "set_theme": POST,
    "setup_new_preview": POST,
    "setup_preview": POST,
    "submission_cancel": POST,
    "submission_disqualify": POST,
    "submission_final": POST,
    "submission_reinstate": POST,
    "submission_rerun": POST,
    "submission_retry": POST,
    "team_invite": POST,
    "team_leave": POST,
    "token_revoke": POST,
    "webhook_delete": POST,
    "webhook_replay": POST,
}
