"""The addresses of accounts: allauth's views, under addresses of our own."""

from allauth.account import views as account
from allauth.mfa.base import views as factor
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from django.urls import path, re_path

urlpatterns = [
    path("accounts/sign-in/", account.login, name="account_login"),
    path("accounts/sign-in/code/", factor.authenticate, name="mfa_authenticate"),
    path("accounts/sign-out/", account.logout, name="account_logout"),
    path("accounts/sign-up/", account.signup, name="account_signup"),
    path("accounts/inactive/", account.account_inactive, name="account_inactive"),
    path("accounts/confirm/", account.reauthenticate, name="account_reauthenticate"),
    path("accounts/confirm/code/", factor.reauthenticate, name="mfa_reauthenticate"),
    path("accounts/email/", account.email_verification_sent, name="account_email_verification_sent"),
    path("accounts/email/<str:key>/", account.confirm_email, name="account_confirm_email"),
    path("accounts/password/", account.password_reset, name="account_reset_password"),
    path("accounts/password/sent/", account.password_reset_done, name="account_reset_password_done"),
    path(
        "accounts/password/done/",
        account.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^accounts/password/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        account.password_reset_from_key,
        name="account_reset_password_from_key",
    ),
    path("settings/email/", account.email, name="account_email"),
    path("settings/password/", account.password_change, name="account_change_password"),
    path("settings/password/new/", account.password_set, name="account_set_password"),
    path("settings/two-factor/", factor.index, name="mfa_index"),
    path("settings/two-factor/app/", totp.activate_totp, name="mfa_activate_totp"),
    path("settings/two-factor/app/remove/", totp.deactivate_totp, name="mfa_deactivate_totp"),
    path("settings/two-factor/codes/", codes.view_recovery_codes, name="mfa_view_recovery_codes"),
    path("settings/two-factor/codes/new/", codes.generate_recovery_codes, name="mfa_generate_recovery_codes"),
    path(
        "settings/two-factor/codes/file/", codes.download_recovery_codes, name="mfa_download_recovery_codes"
    ),
]
