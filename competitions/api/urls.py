"""The addresses below /api/; everything that is not one of them answers 404 in JSON."""

from django.urls import URLPattern, URLResolver, include, path, re_path

from competitions.api import (
    catalog,
    contests,
    data,
    documents,
    files,
    leaderboards,
    moderation,
    people,
    publishing,
    runs,
    submissions,
    uploads,
    webhooks,
)

of_people = [
    path("tokens/", people.Tokens.as_view(), name="api_tokens"),
    path("tokens/<int:token_id>/", people.Token.as_view(), name="api_token"),
    path("me/", people.Me.as_view(), name="api_me"),
    path("teams/", people.Teams.as_view(), name="api_teams"),
    path("teams/<slug:team>/", people.Team.as_view(), name="api_team"),
]
of_competitions = [
    path("", contests.Competitions.as_view(), name="api_competitions"),
    path("<slug:slug>/", contests.Competition.as_view(), name="api_competition"),
    path("<slug:slug>/leaderboard/", leaderboards.Leaderboard.as_view(), name="api_leaderboard"),
    path(
        "<slug:slug>/leaderboard.csv", leaderboards.LeaderboardTable.as_view(), name="api_leaderboard_table"
    ),
    path("<slug:slug>/file/", files.CompetitionFile.as_view(), name="api_competition_file"),
    path("<slug:slug>/file/diff/", files.CompetitionDifference.as_view(), name="api_competition_diff"),
    path("<slug:slug>/data/", data.CompetitionData.as_view(), name="api_competition_data"),
    path("<slug:slug>/data/survey/", data.DataSurvey.as_view(), name="api_data_survey"),
    path("<slug:slug>/dry-run/", publishing.DryRun.as_view(), name="api_dry_run"),
    path("<slug:slug>/publish/", publishing.Publish.as_view(), name="api_publish"),
    path(
        "<slug:slug>/leaderboard/slice/",
        leaderboards.LeaderboardSlice.as_view(),
        name="api_leaderboard_slice",
    ),
    path("<slug:slug>/admission/", submissions.Admission.as_view(), name="api_admission"),
    path("<slug:slug>/pairs/", contests.Pairs.as_view(), name="api_pairs"),
    path("<slug:slug>/phases/", contests.Phases.as_view(), name="api_phases"),
    path("<slug:slug>/phases/<slug:phase>/", contests.Phase.as_view(), name="api_phase"),
    path("<slug:slug>/phases/<slug:phase>/rescore/", moderation.RescorePhase.as_view(), name="api_rescore"),
]
of_the_catalog = [
    path("datasets/", catalog.Datasets.as_view(), name="api_datasets"),
    path("datasets/<slug:slug>/<int:version>/", catalog.Dataset.as_view(), name="api_dataset"),
    path(
        "datasets/<slug:slug>/<int:version>/pairs/", catalog.DatasetPairs.as_view(), name="api_dataset_pairs"
    ),
    path("suites/", catalog.Suites.as_view(), name="api_suites"),
    path("suites/<slug:suite>/", catalog.Suite.as_view(), name="api_suite"),
]
of_submissions = [
    path("", submissions.Submissions.as_view(), name="api_submissions"),
    path("<str:submission_id>/", submissions.Submission.as_view(), name="api_submission"),
    path("<str:submission_id>/runs/", runs.SubmissionRuns.as_view(), name="api_submission_runs"),
    path("<str:submission_id>/cancel/", submissions.CancelSubmission.as_view(), name="api_cancel"),
    path("<str:submission_id>/final/", submissions.FinalSubmission.as_view(), name="api_final"),
    path("<str:submission_id>/retry/", moderation.RetrySubmission.as_view(), name="api_retry"),
    path("<str:submission_id>/rerun/", moderation.RerunSubmission.as_view(), name="api_rerun"),
    path("<str:submission_id>/disqualify/", moderation.DisqualifySubmission.as_view(), name="api_disqualify"),
    path("<str:submission_id>/reinstate/", moderation.ReinstateSubmission.as_view(), name="api_reinstate"),
]
of_runs = [
    path("<str:run_id>/", runs.Run.as_view(), name="api_run"),
    path("<str:run_id>/cancel/", moderation.CancelRun.as_view(), name="api_run_cancel"),
    path("<str:run_id>/log/", runs.RunLog.as_view(), name="api_run_log"),
    path("<str:run_id>/scores/", runs.RunScores.as_view(), name="api_run_scores"),
    path("<str:run_id>/pairs/", runs.RunPairs.as_view(), name="api_run_pairs"),
    path("<str:run_id>/outputs/", runs.RunOutputs.as_view(), name="api_run_outputs"),
]
of_uploads = [
    path("", uploads.Uploads.as_view(), name="api_uploads"),
    path("room/", uploads.Room.as_view(), name="api_upload_room"),
    path("<str:upload_id>/", uploads.Upload.as_view(), name="api_upload"),
    path("<str:upload_id>/parts/<int:offset>/", uploads.UploadPart.as_view(), name="api_upload_part"),
    path("<str:upload_id>/finish/", uploads.FinishUpload.as_view(), name="api_upload_finish"),
]
of_webhooks = [
    path("", webhooks.Webhooks.as_view(), name="api_webhooks"),
    path("<str:webhook_id>/", webhooks.Webhook.as_view(), name="api_webhook"),
    path("<str:webhook_id>/deliveries/", webhooks.Deliveries.as_view(), name="api_deliveries"),
    path(
        "<str:webhook_id>/deliveries/<str:delivery_id>/replay/",
        webhooks.ReplayDelivery.as_view(),
        name="api_replay",
    ),
]
version_1: list[URLPattern | URLResolver] = [
    path("", include(of_people)),
    path("competitions/", include(of_competitions)),
    path("", include(of_the_catalog)),
    path("submissions/", include(of_submissions)),
    path("runs/", include(of_runs)),
    path("uploads/", include(of_uploads)),
    path("webhooks/", include(of_webhooks)),
    path("schema/", documents.Schema.as_view(), name="api_schema"),
    path("docs/", documents.Swagger.as_view(), name="api_docs"),
]
urlpatterns = [
    path("v1/", include(version_1)),
    re_path("", documents.UnknownAddress.as_view()),
]
