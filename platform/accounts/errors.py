"""Every refusal about teams that is raised on purpose; message and fix are safe to show."""


class TeamError(Exception):
    """This cannot be done with this team."""

    code = "TEAM_ERROR"
    fix = ""

    def __init__(self, message: str = "") -> None:
        """Keep the message (default: the class docstring)."""
        self.message = message or " ".join((self.__doc__ or "").split())
        super().__init__(self.message)


class NotAnOwner(TeamError):
    """Only owners of the team may do this."""

    code = "NOT_AN_OWNER"
    fix = "Ask one of the owners; the page of the team names them."


class LastOwner(TeamError):
    """A team needs an owner, and there is no other one."""

    code = "LAST_OWNER"
    fix = "Make somebody else an owner first."


class TeamOfOne(TeamError):
    """Your own team of one stays as it is."""

    code = "TEAM_OF_ONE"
    fix = "Start a team to work with others."


class TooManyTeams(TeamError):
    """You belong to as many teams as one person may."""

    code = "TOO_MANY_TEAMS"
    fix = "Leave one that you no longer need."


class TeamIsFull(TeamError):
    """The team has as many members as one may have."""

    code = "TEAM_IS_FULL"
    fix = "Ask its owners to make room."


class InvitationInvalid(TeamError):
    """This invitation is not valid: it has expired, or was taken back."""

    code = "INVITATION_INVALID"
    fix = "Ask the team for a new link."


class NoSuchMember(TeamError):
    """This person does not belong to the team."""

    code = "NO_SUCH_MEMBER"
