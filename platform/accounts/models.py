"""Users, their teams, and the tokens that programs use in their place."""

from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Lower


class User(AbstractUser):
    """A person; the project's own class from the first migration, so that it can grow."""

    class Meta:
        constraints = [models.UniqueConstraint(Lower("username"), name="username_unique_without_case")]


class Team(models.Model):
    """Whoever submits: a person alone is a team of one."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=100)
    is_personal = models.BooleanField(default=False)
    members = models.ManyToManyField(User, through="Membership", related_name="teams")
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name


class Membership(models.Model):
    """That a user belongs to a team, and as what."""

    class Role(models.TextChoices):
        """What a member may do: owners invite and remove, members submit."""

        OWNER = "owner"
        MEMBER = "member"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.MEMBER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "team"], name="member_once_per_team"),
            models.CheckConstraint(
                condition=models.Q(role__in=["owner", "member"]), name="membership_role_is_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.team} as {self.role}"


class TeamInvitation(models.Model):
    """A link by which whoever has it may join a team, until it expires or an owner takes it back."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="invitations")
    made_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.team} until {self.expires_at:%Y-%m-%d}"


class ApiToken(models.Model):
    """A token for programs: shown once, stored as a hash; it does what its scopes name, until it expires.

    `scopes` are words with spaces between them; without `expires_at` it works until it is revoked.
    """

    class Scope(models.TextChoices):
        """What a token may do in its user's name; none of them includes another."""

        READ = "read"
        SUBMIT = "submit"
        ORGANIZE = "organize"

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    key_sha256 = models.CharField(max_length=64, unique=True)
    hint = models.CharField(max_length=8)
    scopes = models.CharField(max_length=60, default="read submit organize")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} (…{self.hint})"

    def allows(self, scope: str) -> bool:
        """Say whether the token has the scope."""
        return scope in self.scopes.split()
