"""Users in Django's admin; teams stand on boards, so `competitions` shows them."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.models import User
from accounts.services import ensure_personal_team


@admin.register(User)
class PersonAdmin(UserAdmin):
    """Django's own page of users; whoever is saved here can submit alone."""

    def save_model(self, request: HttpRequest, obj: User, form: ModelForm, change: bool) -> None:
        """Save the user, and give one who has none a team of one."""
        super().save_model(request, obj, form, change)
        ensure_personal_team(user=obj)
