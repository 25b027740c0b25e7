"""The admin, and everything else in the dashboard's hands."""

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls)]
if find_spec("dashboard.urls"):
    urlpatterns.append(path("", include("dashboard.urls")))
