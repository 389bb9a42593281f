"""Users and teams in Django's admin."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import Team, User

admin.site.register(User, UserAdmin)
admin.site.register(Team)
