"""The addresses of teams."""

from django.urls import path

from frontend.views import teams

urlpatterns = [
    path("teams/", teams.team_list, name="team_list"),
    path("teams/<slug:slug>/", teams.team, name="team"),
    path("teams/<slug:slug>/invite/", teams.team_invite, name="team_invite"),
    path(
        "teams/<slug:slug>/invite/<int:invitation_id>/revoke/",
        teams.invitation_revoke,
        name="invitation_revoke",
    ),
    path("teams/<slug:slug>/leave/", teams.team_leave, name="team_leave"),
    path("teams/<slug:slug>/members/<int:user_id>/", teams.member_change, name="member_change"),
    path("join/<str:token>/", teams.team_join, name="team_join"),
]
