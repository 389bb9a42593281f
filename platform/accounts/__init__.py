"""People: users, teams and access tokens."""
