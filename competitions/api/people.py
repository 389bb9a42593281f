"""Who calls: tokens, the caller, and the caller's teams."""

from allauth.mfa.utils import is_mfa_enabled
from django.contrib.auth import authenticate
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny, BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.models import ApiToken, User
from accounts.selectors import awaits_address_check, find_team, members_of, teams_of, working_tokens
from accounts.services import ensure_personal_team, issue_token, revoke_token
from competitions.api import requests
from competitions.api.base import ApiView, answer_page, caller, need_scope
from competitions.api.contract import describe
from competitions.api.shapes import UtcField, page_shape
from competitions.api.throttles import GuessThrottle
from competitions.errors import AddressUnchecked, NotFound
from competitions.selectors.paging import page_of, page_of_list

LARGEST_ID = 2**63 - 1


class TokenSerializer(serializers.Serializer):
    """A token as its owner sees it later: never its key, of which `hint` is the end."""

    id = serializers.IntegerField(source="pk")
    name = serializers.CharField()
    hint = serializers.CharField()
    scopes = serializers.SerializerMethodField()
    created_at = UtcField()
    expires_at = UtcField(allow_null=True)
    last_used_at = UtcField(allow_null=True)

    def get_scopes(self, token: ApiToken) -> list[str]:
        """Return the words."""
        return token.scopes.split()


class NewTokenSerializer(serializers.Serializer):
    """A new token; `token` is its key, which no later answer shows."""

    token = serializers.CharField()
    id = serializers.IntegerField()
    name = serializers.CharField()
    user = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())
    expires_at = UtcField()


class TeamSerializer(serializers.Serializer):
    """A team of the caller."""

    slug = serializers.CharField()
    name = serializers.CharField()


class MeSerializer(serializers.Serializer):
    """The caller, and the teams to submit for."""

    username = serializers.CharField()
    teams = TeamSerializer(many=True)


class MemberSerializer(serializers.Serializer):
    """Who belongs to a team, and as what."""

    username = serializers.CharField(source="user.username")
    role = serializers.CharField()


class TeamDetailSerializer(TeamSerializer):
    """A team with its members."""

    is_personal = serializers.BooleanField()
    created_at = UtcField()
    members = MemberSerializer(many=True)


class Tokens(ApiView):
    """The caller's tokens; a new one is made in exchange for user name and password only."""

    throttle_scope = "tokens"
    parser_classes = (JSONParser, FormParser, MultiPartParser)

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A new token asks for a password; what the request carries besides is not looked at."""
        return [] if self._is_exchange() else super().get_authenticators()

    def get_permissions(self) -> list[BasePermission]:
        """Let everybody try, since the password decides."""
        return [AllowAny()] if self._is_exchange() else [IsAuthenticated()]

    def get_throttles(self) -> list[BaseThrottle]:
        """Slow down guessing."""
        return [GuessThrottle()] if self._is_exchange() else super().get_throttles()

    @describe("listTokens", {200: page_shape(TokenSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List the caller's tokens that work, newest first."""
        mine = working_tokens().filter(user=caller(request))
        return answer_page(page_of(mine, self.window(), ("-created_at", "-pk")), TokenSerializer, request)

    @describe(
        "createToken",
        {201: NewTokenSerializer},
        body=requests.NewToken,
        example={
            "username": "rosalba",
            "password": "correct horse battery staple",
            "name": "laptop",
            "scopes": ["read", "submit"],
            "days": 90,
        },
    )
    def post(self, request: Request) -> Response:
        """Exchange user name and password for a token; its key is shown in this answer only."""
        fields = requests.read_body(requests.NewToken, request)
        user = authenticate(request._request, username=fields["username"], password=fields["password"])
        if not isinstance(user, User):
            raise AuthenticationFailed("User name or password is wrong.")
        if is_mfa_enabled(user):
            raise AuthenticationFailed(
                "This account has a second factor: make the token at /settings/tokens/."
            )
        if awaits_address_check(user):
            raise AddressUnchecked
        token, key = issue_token(user=user, name=fields["name"], scopes=fields["scopes"], days=fields["days"])
        shown = {"id": token.pk, "name": token.name, "user": user.username, "expires_at": token.expires_at}
        answer = NewTokenSerializer({"token": key, "scopes": token.scopes.split(), **shown}).data
        return Response(answer, status=201)

    def _is_exchange(self) -> bool:
        # The framework's schema generator has no request here, and says what it describes by `method`.
        return getattr(self.request, "method", "") == "POST"


class Token(ApiView):
    """One of the caller's tokens."""

    permission_classes = (IsAuthenticated,)

    def check_scope(self, request: Request) -> None:
        """A token may always take itself back; for others see below."""

    @describe("revokeToken", {204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        """Revoke a token; one may revoke itself, and needs the scope "submit" for others."""
        own = request.auth.pk if isinstance(request.auth, ApiToken) else None
        if token_id != own:
            need_scope(request, ApiToken.Scope.SUBMIT)
        is_known = token_id <= LARGEST_ID and revoke_token(user=caller(request), token_id=token_id)
        if not is_known:
            raise NotFound("There is no such token, or it does not work any more.")
        return Response(status=204)


class Me(ApiView):
    """The caller and the teams that the caller may submit for."""

    permission_classes = (IsAuthenticated,)

    @describe("getMe", {200: MeSerializer})
    def get(self, request: Request) -> Response:
        """Show the caller."""
        user = caller(request)
        ensure_personal_team(user=user)
        return Response(MeSerializer({"username": user.username, "teams": teams_of(user)}).data)


class Teams(ApiView):
    """The caller's teams."""

    permission_classes = (IsAuthenticated,)

    @describe("listTeams", {200: page_shape(TeamSerializer)}, query=requests.PageQuery)
    def get(self, request: Request) -> Response:
        """List the teams that the caller may submit for."""
        teams = sorted(teams_of(caller(request)), key=lambda team: team.slug)
        return answer_page(
            page_of_list(teams, self.window(), lambda team: team.slug), TeamSerializer, request
        )


class Team(ApiView):
    """One of the caller's teams."""

    permission_classes = (IsAuthenticated,)

    @describe("getTeam", {200: TeamDetailSerializer})
    def get(self, request: Request, team: str) -> Response:
        """Show a team and its members."""
        found = find_team(caller(request), team)
        if found is None:
            raise NotFound("This is none of your teams.")
        shown = {name: getattr(found, name) for name in ("slug", "name", "is_personal", "created_at")}
        return Response(TeamDetailSerializer({**shown, "members": members_of(found)}).data)
