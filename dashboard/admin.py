"""The admin's name: which environment it acts on, and that it is paper."""

from django.conf import settings
from django.contrib import admin

admin.site.site_header = f"PQAP {settings.PQAP.env}, paper"
admin.site.site_title = f"PQAP {settings.PQAP.env}"
admin.site.index_title = "Decide with a reason, read everything else"
