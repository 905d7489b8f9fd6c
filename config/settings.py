"""Django settings, driven by the environment. Every variable is listed in docs/configuration.md.

Values come from, first match wins: the process environment, `.env`, and two files that `manage.py
up` writes under `var/`: `run.env` while it runs, so that other commands find its services, and
`secrets.env`, which it keeps.
"""

import os
from pathlib import Path

import environ
from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from django.core.exceptions import ImproperlyConfigured

from config import admin_theme

BASE_DIR = Path(__file__).resolve().parent.parent

# Where `manage.py up` keeps its services, their data and its keys.
DATA_DIR = Path(os.environ.get("DATA_DIR") or BASE_DIR / "var").absolute()

env = environ.Env()
for env_file in (BASE_DIR / ".env", DATA_DIR / "run.env", DATA_DIR / "secrets.env"):
    if env_file.is_file():
        env.read_env(env_file)

# --- The process -------------------------------------------------------------------------------

# Shows tracebacks in the browser and allows development keys. Never on in production.
DEBUG = env.bool("DEBUG", default=False)

_DEVELOPMENT_SECRET = "development-only-secret-key-that-production-refuses-to-start-with"  # noqa: S105
_DEVELOPMENT_CREDENTIAL_KEY = "ZGV2ZWxvcG1lbnQtb25seS1rZXktbm90LWEtc2VjcmU="

# Signs sessions and password-reset links. Long, random, private.
SECRET_KEY = env("SECRET_KEY", default=_DEVELOPMENT_SECRET if DEBUG else "")

# Fernet keys, comma separated, that encrypt stored credentials. The first encrypts, all decrypt:
# to rotate, put a new one in front.
CREDENTIAL_KEYS = env.list(
    "CREDENTIAL_KEYS", default=[_DEVELOPMENT_CREDENTIAL_KEY] if DEBUG else []
)
if not SECRET_KEY or not CREDENTIAL_KEYS:
    raise ImproperlyConfigured(
        "Set SECRET_KEY and CREDENTIAL_KEYS (see docs/configuration.md), or DEBUG=1 to develop."
    )

# Host names this site answers to, comma separated.
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# The address people and platforms reach this site at; used in e-mails and printed by `up`.
PUBLIC_URL = env("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")

# Origins allowed to post forms, needed behind a TLS proxy: https://hooks.example.com
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

# True behind a proxy that sets X-Forwarded-Proto and strips it from clients, and that adds the
# client's address to X-Forwarded-For.
BEHIND_TLS_PROXY = env.bool("BEHIND_TLS_PROXY", default=False)
if BEHIND_TLS_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Serve only over TLS: secure cookies, redirect to https, HSTS. On unless the public URL is http.
_TLS = PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = _TLS
SESSION_COOKIE_SECURE = _TLS
CSRF_COOKIE_SECURE = _TLS
SECURE_HSTS_SECONDS = 31_536_000 if _TLS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _TLS
SECURE_HSTS_PRELOAD = _TLS
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
# Only our own files, no inline scripts or style elements. The admin theme is built on Alpine, which
# compiles the expressions in its attributes ('unsafe-eval') and writes style attributes.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, UNSAFE_EVAL],
        "style-src": [SELF],
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}

# --- Services ----------------------------------------------------------------------------------

# PostgreSQL 15 or newer; the only supported database.
DATABASES = {
    "default": env.db_url("DATABASE_URL", default="postgresql://hookline@127.0.0.1:5432/hookline")
}
if DATABASES["default"]["ENGINE"] != "django.db.backends.postgresql":
    raise ImproperlyConfigured("DATABASE_URL must name a PostgreSQL database (postgresql://…).")
# Keep connections open between requests, and check them before reuse.
DATABASES["default"]["CONN_MAX_AGE"] = 300
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
# A server that vanished without a word, with its machine or behind a firewall, is noticed within a
# minute: nothing else bounds how long a worker waits for it. What DATABASE_URL says counts more.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,
    **DATABASES["default"].get("OPTIONS", {}),
}

# Redis only wakes and runs jobs; wiping it loses nothing.
REDIS_URL = env("REDIS_URL", default="redis://127.0.0.1:6379/0")
# One queue a worker: RQ's crash-safe hand-over holds for exactly one.
RQ_QUEUES = {"delivery": {"URL": REDIS_URL, "DEFAULT_TIMEOUT": 3600}}
RQ_SHOW_ADMIN_LINK = False

# SMTP for password links, as smtp://user:password@host:port. Default: print to the console.
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
# A mail server that does not answer must not hold a web process for good.
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="Hookline <hookline@localhost>")

# --- Delivery ----------------------------------------------------------------------------------

# Private networks that webhooks may reach all the same, for those who host Hookline themselves:
# 10.1.0.0/16,192.168.5.7/32. Empty means public addresses only.
EGRESS_ALLOW = env.list("EGRESS_ALLOW", default=[])
# A proxy that all webhooks go through, as http://proxy:3128. It is told addresses that Hookline has
# looked up and vetted, never names.
EGRESS_PROXY = env("EGRESS_PROXY", default="")
# Deliveries that one worker process sends at the same time.
DELIVERY_CONCURRENCY = env.int("DELIVERY_CONCURRENCY", default=512)
# Seconds after which a claimed delivery that was never recorded is taken up by another worker.
DELIVERY_LEASE_S = env.int("DELIVERY_LEASE_S", default=90)
# Seconds between two looks of the sweep for due deliveries that nobody was woken for.
SWEEP_INTERVAL_S = env.int("SWEEP_INTERVAL_S", default=5)

# What a Prometheus that asks for /metrics must carry as its bearer token. Empty: there is no such
# page.
METRICS_TOKEN = env("METRICS_TOKEN", default="")

# --- Intake ------------------------------------------------------------------------------------

# Largest request body, in bytes, and most events in one batch; more is refused with 413.
INTAKE_MAX_BODY_BYTES = 5_000_000
INTAKE_MAX_BATCH = 500
DATA_UPLOAD_MAX_MEMORY_SIZE = 5_000_000
# The wizard posts two values for each of up to 300 fields, and a dozen for each open options panel.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000
# Of a form with files, which Django would write to the disk whatever their size, before anybody
# asks who sends them: a file to import has at most 10,000,000 bytes.
UPLOAD_MAX_BYTES = 12_000_000
FILE_UPLOAD_HANDLERS = [
    "apps.common.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- API ---------------------------------------------------------------------------------------

# Requests that a key, or a person, may make in a minute; 0 sets no limit. Requests that post
# events have a limit of their own, as calls can not wait.
API_RATE_LIMIT = env.int("API_RATE_LIMIT", default=1200)
INTAKE_RATE_LIMIT = env.int("INTAKE_RATE_LIMIT", default=60_000)

# Callers of one account that may wait for its receivers in each web process, once one of these is
# slow. Each holds a thread: the others are for everybody else.
_WEB_THREADS = env.int("WEB_THREADS", default=64)
IVR_MOST_WAITING = int(env("IVR_MOST_WAITING", default="") or max(1, _WEB_THREADS // 2))
# Tests of webhooks that may wait for receivers in each web process, likewise.
TESTS_MOST_WAITING = max(2, _WEB_THREADS // 2)

# --- Django ------------------------------------------------------------------------------------

INSTALLED_APPS = [
    # The plain configuration: the other one would put the theme's site in place of ours.
    "unfold.apps.BasicAppConfig",
    "unfold.contrib.filters",
    "unfold.contrib.forms",
    "apps.common",
    "apps.accounts",
    "apps.calls",
    "apps.webhooks",
    "apps.campaigns",
    "apps.delivery",
    "apps.ivr",
    "apps.intake",
    "apps.faces",
    "apps.console",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_filters",
    "django_htmx",
    "django_rq",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "config.apps.HooklineAdminConfig",
]

MIDDLEWARE = [
    "apps.console.health.HealthMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "apps.common.middleware.RequestIdMiddleware",
    "apps.common.middleware.ProblemMiddleware",
    # From here, a request that comes with a key goes to the last one at once.
    "apps.common.middleware.ShortWayMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "apps.accounts.middleware.TenancyMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
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

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["config.formats"]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
# Serve static files straight from the apps until `collectstatic` has run.
WHITENOISE_USE_FINDERS = not STATIC_ROOT.is_dir()

UNFOLD = admin_theme.UNFOLD

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "apps.accounts.authentication.ApiKeyAuthentication",
        "apps.accounts.authentication.PersonAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["apps.accounts.permissions.HasScope"],
    "DEFAULT_THROTTLE_CLASSES": ["apps.common.api.rate_limits.SenderRateLimit"],
    "DEFAULT_SCHEMA_CLASS": "apps.common.api.schema.HooklineSchema",
    "DEFAULT_RENDERER_CLASSES": ["apps.common.api.bodies.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.common.api.bodies.OrjsonParser"],
    # JSON is all there is, whatever a client says that it accepts.
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "apps.common.api.bodies.JsonOnly",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_METADATA_CLASS": "apps.common.api.metadata.AllowedOnly",
    "EXCEPTION_HANDLER": "apps.common.problems.exception_handler",
    "UNAUTHENTICATED_USER": None,
}

SPECTACULAR_SETTINGS = {
    "TITLE": "Hookline",
    "VERSION": "1",
    "DESCRIPTION": "Call webhooks: phone calls into other systems. docs/api.md tells the rest.",
    "OAS_VERSION": "3.1.0",
    "SERVERS": [{"url": "/api/v1"}],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SCHEMA_PATH_PREFIX_TRIM": True,
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "apps.common.api.examples.add_examples",
        "apps.common.api.schema.add_problems",
    ],
    "ENUM_NAME_OVERRIDES": {
        "BuiltInTemplate": "apps.webhooks.api.samples.BUILT_IN",
        "CampaignKind": "apps.campaigns.models.CampaignKind",
        "DeliveryState": "apps.delivery.models.DeliveryState",
        "ImportState": "apps.campaigns.models.Import.State",
        "IvrMethod": "apps.ivr.models.IvrHook.Method",
        "ReplayState": "apps.delivery.models.Replay.State",
        "SheetKind": "apps.campaigns.models.SheetKind",
        "Timing": "apps.calls.events.Timing",
        "EventType": "apps.calls.events.EventType",
        "WebhookMethod": "apps.webhooks.models.Webhook.Method",
    },
}

# --- Logging -----------------------------------------------------------------------------------

# INFO says each call and delivery in one line; WARNING only what needs a person.
LOG_LEVEL = env("LOG_LEVEL", default="INFO")
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "request_id": {"()": "apps.common.logs.RequestIdFilter"},
        "refused_in_a_line": {"()": "apps.common.logs.RefusedInALine"},
        "said_once": {"()": "apps.common.outages.SaidOnce"},
    },
    "formatters": {
        "line": {"()": "apps.common.logs.LineFormatter"},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request_id", "refused_in_a_line"],
        }
    },
    "root": {"handlers": ["console"], "level": "WARNING"},
    "loggers": {
        "apps": {"level": LOG_LEVEL},
        "rq.worker": {"level": "WARNING"},
        "django.request": {"level": "ERROR", "filters": ["said_once"]},
    },
}
