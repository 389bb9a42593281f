"""The addresses of the pages."""

from django.urls import path
from django.views.i18n import set_language

from frontend import account_urls, team_urls
from frontend.views import (
    accounts,
    comparisons,
    competitions,
    downloads,
    flags,
    galleries,
    images,
    leaderboards,
    moderation,
    organizers,
    preferences,
    publishing,
    setup,
    status,
    submissions,
)

urlpatterns = [
    path("", competitions.home, name="home"),
    path("competitions/", competitions.competition_list, name="competition_list"),
    path("c/<slug:slug>/", competitions.competition, name="competition"),
    path("c/<slug:slug>/leaderboard/", leaderboards.leaderboard, name="leaderboard"),
    path(
        "c/<slug:slug>/leaderboard/<str:file_name>",
        downloads.leaderboard_download,
        name="leaderboard_download",
    ),
    path("c/<slug:slug>/gallery/", galleries.gallery, name="gallery"),
    path("c/<slug:slug>/pair/<str:pair_name>/", galleries.pair, name="pair"),
    path("c/<slug:slug>/news/", organizers.news, name="news"),
    path("organize/", setup.organize, name="organize"),
    path("organize/new/", setup.new, name="setup_new"),
    path("organize/preview/", setup.preview, name="setup_new_preview"),
    path("organize/example/", setup.example, name="setup_example"),
    path("organize/<slug:slug>/", organizers.organizer, name="organizer"),
    path("organize/<slug:slug>/announce/", organizers.announce, name="announce"),
    path("organize/<slug:slug>/rescore/", organizers.rescore, name="rescore"),
    path("organize/<slug:slug>/preview/", setup.preview, name="setup_preview"),
    path("organize/<slug:slug>/upload/", publishing.data_upload, name="data_upload"),
    path("organize/<slug:slug>/folder/", publishing.data_folder, name="data_folder"),
    path("organize/<slug:slug>/pictures/<str:sha256>/", publishing.report_thumbnail, name="report_thumbnail"),
    path("organize/<slug:slug>/dry-run/", publishing.dry_run_start, name="dry_run_start"),
    path("organize/<slug:slug>/dry-run/progress/", publishing.dry_run_progress, name="dry_run_progress"),
    path("organize/<slug:slug>/publish/", publishing.publish, name="publish"),
    path("organize/<slug:slug>/setup/<slug:step>/", setup.setup, name="setup"),
    path("compare/", comparisons.compare, name="compare"),
    path("c/<slug:slug>/submit/", submissions.submit, name="submit"),
    path("submissions/", submissions.submission_list, name="submission_list"),
    path("s/<uuid:submission_id>/", submissions.submission, name="submission"),
    path("s/<uuid:submission_id>/progress/", submissions.submission_progress, name="submission_progress"),
    path("s/<uuid:submission_id>/log/", submissions.submission_log, name="submission_log"),
    path("s/<uuid:submission_id>/cancel/", submissions.submission_cancel, name="submission_cancel"),
    path("s/<uuid:submission_id>/final/", submissions.submission_final, name="submission_final"),
    path("s/<uuid:submission_id>/retry/", moderation.submission_retry, name="submission_retry"),
    path("s/<uuid:submission_id>/rerun/", moderation.submission_rerun, name="submission_rerun"),
    path(
        "s/<uuid:submission_id>/disqualify/", moderation.submission_disqualify, name="submission_disqualify"
    ),
    path("s/<uuid:submission_id>/reinstate/", moderation.submission_reinstate, name="submission_reinstate"),
    path("runs/<uuid:run_id>/cancel/", moderation.run_cancel, name="run_cancel"),
    path("flags/<int:flag_id>/review/", flags.flag_review, name="flag_review"),
    path("images/pairs/<int:pair_pk>/<str:side>/", images.pair_image, name="pair_image"),
    path("images/pairs/<int:pair_pk>/<str:side>/<int:width>/", images.pair_image, name="pair_thumbnail"),
    path("images/runs/<uuid:run_id>/<int:pair_pk>/", images.output_image, name="output_image"),
    path(
        "images/runs/<uuid:run_id>/<int:pair_pk>/<int:width>/", images.output_image, name="output_thumbnail"
    ),
    *account_urls.urlpatterns,
    *team_urls.urlpatterns,
    path("settings/tokens/", accounts.settings_tokens, name="settings_tokens"),
    path("settings/tokens/<int:token_id>/revoke/", accounts.token_revoke, name="token_revoke"),
    path("settings/language/", set_language, name="set_language"),
    path("settings/theme/", preferences.set_theme, name="set_theme"),
    path("help/errors/", status.failure_list, name="failure_list"),
    path("help/errors/<str:code>/", status.failure_help, name="failure_help"),
    path("status/", status.status, name="status"),
]
