"""Which room answers which address."""

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("api/", include("competitions.api.urls")),
    path("admin/", admin.site.urls),
    path("", include("frontend.urls")),
]
