"""Django's settings; PQAP_CONFIG names the environment's file and everything follows from it."""

import atexit
import os
import shutil
import sys
import tempfile
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

from pqap_site import config, environment, logs, secret_key
from strategies import library

BASE_DIR = Path(__file__).resolve().parent.parent
VERSION = tomllib.loads((BASE_DIR / "pyproject.toml").read_text("utf-8"))["project"]["version"]

# Tests need nothing set: they run as demo and leave no trace in data/.
TESTING = "pytest" in sys.modules
if TESTING and "PQAP_DATA" not in os.environ:
    os.environ["PQAP_DATA"] = tempfile.mkdtemp(prefix="pqap-tests-")
    atexit.register(shutil.rmtree, os.environ["PQAP_DATA"], ignore_errors=True)
if TESTING:
    os.environ.setdefault("PQAP_CONFIG", str(BASE_DIR / "configs/demo.yaml"))

PQAP = config.load(environment.resolve(["", ""], os.environ).config, os.environ)
library.REGISTRY.update(PQAP.outside_strategies)
SECRETS = environment.load_secrets(PQAP.env, BASE_DIR, os.environ)
for name in SECRETS.dropped:
    os.environ.pop(name, None)
PATHS = environment.paths(PQAP.env)
PATHS.folder.mkdir(parents=True, exist_ok=True, mode=0o700)

SECRET_KEY = secret_key.read_or_create(PATHS.folder / "secret_key")
DEBUG = False

# Which addresses answer. Loopback always does: health checks and the person at the machine.
SITE_HOST = urlsplit(PQAP.site.url or "").hostname
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = list(dict.fromkeys([*LOOPBACK, *PQAP.site.hosts, *filter(None, [SITE_HOST])]))

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "django_htmx",
    "drf_spectacular",
    "django_celery_beat",
    "csp",
    "markets",
    "strategies",
    "execution",
    "notifications",
    "dashboard",
    "pqap_site",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
ROOT_URLCONF = "pqap_site.urls"
WSGI_APPLICATION = "pqap_site.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# A server database keeps its connections; SQLite opens one a request, which costs nothing.
DATABASE_URL = SECRETS.values.get("DATABASE_URL") or f"sqlite:///{PATHS.database}"
DATABASES = {"default": dj_database_url.parse(DATABASE_URL)}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Tests run in memory, also where each parallel worker would have a file of its own.
    DATABASES["default"] |= {"ENGINE": "pqap_site.sqlite", "TEST": {"NAME": ":memory:"}}
else:
    DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
BROKER_URL = SECRETS.values.get("BROKER_URL", "")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
]
LOGIN_URL = "admin:login"

# Cookies do not know ports: two environments on one host would log each other out.
SESSION_COOKIE_NAME = f"pqap_{PQAP.env}_session"
CSRF_COOKIE_NAME = f"pqap_{PQAP.env}_csrf"
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
if PQAP.site.tls:
    # Only behind the proxy, which alone reaches us and overwrites the header it sends.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^health/?$"]
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS = 31_536_000
    CSRF_TRUSTED_ORIGINS = [f"https://{host}" for host in ALLOWED_HOSTS if host not in LOOPBACK]
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = PATHS.folder / "static"
STATIC_ROOT.mkdir(exist_ok=True)
HASHED_STATIC = "whitenoise.storage.CompressedManifestStaticFilesStorage"
PLAIN_STATIC = "django.contrib.staticfiles.storage.StaticFilesStorage"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": PLAIN_STATIC if TESTING else HASHED_STATIC},
}

# Everything stored and everything on the wire is UTC; pages may show PQAP.time_zone.
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "rest_framework.authentication.SessionAuthentication",
        "rest_framework.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.CursorPagination",
    "PAGE_SIZE": 100,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "PQAP",
    "DESCRIPTION": "A paper-trading desk for Polymarket.",
    "VERSION": VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
}

LOGGING = logs.configuration(
    env=PQAP.env,
    level=PQAP.logging.level,
    style=PQAP.logging.format,
    debug=PQAP.debug,
    file=PATHS.log,
    environ=SECRETS.values,
)
