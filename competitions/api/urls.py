"""The addresses below /api/; everything that is not one of them answers 404 in JSON."""

from django.urls import include, path, re_path

from competitions.api import moderation, views

version_1 = [
    path("tokens/", views.Tokens.as_view(), name="api_tokens"),
    path("me/", views.Me.as_view(), name="api_me"),
    path("competitions/", views.Competitions.as_view(), name="api_competitions"),
    path("competitions/<slug:slug>/", views.Competition.as_view(), name="api_competition"),
    path("competitions/<slug:slug>/leaderboard/", views.Leaderboard.as_view(), name="api_leaderboard"),
    path("competitions/<slug:slug>/pairs/", views.Pairs.as_view(), name="api_pairs"),
    path(
        "competitions/<slug:slug>/phases/<slug:phase>/rescore/",
        moderation.RescorePhase.as_view(),
        name="api_rescore",
    ),
    path("submissions/", views.Submissions.as_view(), name="api_submissions"),
    path("submissions/<str:submission_id>/", views.Submission.as_view(), name="api_submission"),
    path("submissions/<str:submission_id>/cancel/", views.CancelSubmission.as_view(), name="api_cancel"),
    path(
        "submissions/<str:submission_id>/retry/",
        moderation.RetrySubmission.as_view(),
        name="api_retry",
    ),
    path(
        "submissions/<str:submission_id>/rerun/",
        moderation.RerunSubmission.as_view(),
        name="api_rerun",
    ),
    path(
        "submissions/<str:submission_id>/disqualify/",
        moderation.DisqualifySubmission.as_view(),
        name="api_disqualify",
    ),
    path(
        "submissions/<str:submission_id>/reinstate/",
        moderation.ReinstateSubmission.as_view(),
        name="api_reinstate",
    ),
    path("runs/<str:run_id>/", views.Run.as_view(), name="api_run"),
    path("runs/<str:run_id>/log/", views.RunLog.as_view(), name="api_run_log"),
    path("runs/<str:run_id>/scores/", views.RunScores.as_view(), name="api_run_scores"),
]
urlpatterns = [
    path("v1/", include(version_1)),
    re_path("", views.UnknownAddress.as_view()),
]
