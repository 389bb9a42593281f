"""All settings; the only place where the environment is read."""

import logging
from pathlib import Path

from celery.schedules import schedule
from kombu import Exchange, Queue

from config import broker, env, logs
from config.fixed import *  # noqa: F403

BASE_DIR = Path(__file__).resolve().parents[2]

# Where everything that is not code lives: database, images, archives, broker folder, caches.
DATA_DIR = env.read_folder("PASTICHE_DATA_DIR", BASE_DIR / "var")

DEBUG = env.read_bool("PASTICHE_DEBUG", False)

DATABASES = {"default": env.read_database("PASTICHE_DATABASE_URL", DATA_DIR / "pastiche.sqlite3")}
USES_SQLITE = DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3"
if USES_SQLITE:
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",  # a writer waits at BEGIN instead of failing in the middle
        "timeout": 30,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    # In a file, as in real life: SQLite in memory does not wait for another thread's lock.
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}
else:
    DATABASES["default"]["CONN_MAX_AGE"] = 60
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

# Made once and kept in the data folder on a single machine; beside a database server the web needs it, workers do not.
SECRET_KEY = env.read_secret_key("PASTICHE_SECRET_KEY", DATA_DIR, may_generate=USES_SQLITE)
HAS_SECRET_KEY = bool(SECRET_KEY)  # Django lets nobody look at an empty one

ALLOWED_HOSTS = env.read_list("PASTICHE_ALLOWED_HOSTS", ["localhost", "127.0.0.1", "[::1]"])
# Full origins (https://example.org) that may send forms, when a reverse proxy ends TLS.
CSRF_TRUSTED_ORIGINS = env.read_list("PASTICHE_TRUSTED_ORIGINS", [])
# Behind TLS: cookies travel only over https, and the proxy's header tells the scheme.
BEHIND_TLS = env.read_bool("PASTICHE_BEHIND_TLS", False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = BEHIND_TLS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if BEHIND_TLS else None

INSTALLED_APPS = [
    "config.apps.ConfigConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "simple_history",
    "accounts",
    "competitions",
    "frontend",  # before allauth, whose pages ours replace
    "csp",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "frontend.middleware.BodySizeLimit",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "simple_history.middleware.HistoryRequestMiddleware",
    "frontend.middleware.CompetitionErrorPages",
    "axes.middleware.AxesMiddleware",
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
                "django.template.context_processors.i18n",
                "frontend.viewer.mail",
            ],
        },
    },
]

# Mail goes out by this server; without one it is printed among the log lines, and no address has to be checked.
EMAIL_HOST, EMAIL_PORT, EMAIL_HOST_USER, EMAIL_HOST_PASSWORD, EMAIL_USE_TLS, EMAIL_USE_SSL = env.read_mail(
    "PASTICHE_EMAIL_URL"
)
SENDS_MAIL = bool(EMAIL_HOST)
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if SENDS_MAIL else 'console'}.EmailBackend"
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.read_str("PASTICHE_EMAIL_FROM", "pastiche@localhost")
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if SENDS_MAIL else "optional"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if BEHIND_TLS else "http"

LOCALE_PATHS = [BASE_DIR / "frontend" / "locale"]

# Content-addressed files: archives, images, outputs, per-pair scores; in a folder, or in a bucket that many machines
# share. Never below a public URL: every download goes through a view that asks a selector who may see it.
STORAGES = {
    "default": env.read_storage(
        "PASTICHE_STORAGE_URL",
        DATA_DIR / "artifacts",
        key="PASTICHE_STORAGE_KEY",
        secret="PASTICHE_STORAGE_SECRET",
    ),
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# How long a signed link to a file in the bucket can be used.
LINK_SECONDS = env.read_int("PASTICHE_LINK_SECONDS", 60, low=5, high=3600)
# Largest archive that may be uploaded.
MAX_ARCHIVE_MB = env.read_int("PASTICHE_MAX_ARCHIVE_MB", 500, low=1, high=10_000)
# What each machine keeps of the small copies of pictures that its pages show.
THUMBNAIL_CACHE_MB = env.read_int("PASTICHE_THUMBNAIL_CACHE_MB", 1000, low=1, high=10**6)
FILE_UPLOAD_TEMP_DIR = env.read_folder("PASTICHE_UPLOAD_DIR", DATA_DIR / "uploads")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2**20

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "competitions.api.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "EXCEPTION_HANDLER": "competitions.api.errors.handle_exception",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_SCHEMA_CLASS": "competitions.api.contract.ContractSchema",
    "DEFAULT_THROTTLE_RATES": {"tokens": "10/min"},
    # Reverse proxies in front: the address that is counted is that many from the end of X-Forwarded-For.
    "NUM_PROXIES": env.read_int("PASTICHE_PROXIES", 0, low=0, high=9),
}

# What one user (or one address, without a token) may send to the API in a minute; 0 for no limit.
API_PER_MINUTE = env.read_int("PASTICHE_API_PER_MINUTE", 1200, low=0, high=10_000_000)
API_WRITES_PER_MINUTE = env.read_int("PASTICHE_API_WRITES_PER_MINUTE", 120, low=0, high=10_000_000)

# Let webhooks lead into private networks, as on a closed one; else whoever makes one could reach this machine's.
WEBHOOKS_TO_PRIVATE = env.read_bool("PASTICHE_WEBHOOKS_TO_PRIVATE", False)

# --- Runs ---------------------------------------------------------------------------------------------
# A worker renews its lease on a run several times within this span; then the run goes back to the queue.
LEASE_SECONDS = env.read_int("PASTICHE_LEASE_SECONDS", 60, low=6, high=3600)
# How often the scheduler looks for expired leases, unsent messages and forgotten runs.
SWEEP_SECONDS = env.read_int("PASTICHE_SWEEP_SECONDS", 10, low=1, high=600)
# How often a run may start again after faults of the platform before it fails as INFRA.
MAX_ATTEMPTS = env.read_int("PASTICHE_MAX_ATTEMPTS", 3, low=1, high=10)
# Pause before the second attempt, doubled for each further one.
RETRY_SECONDS = env.read_int("PASTICHE_RETRY_SECONDS", 10, low=0, high=3600)
# First number that this worker tries to get on its machine; it chooses the user id that sandboxes run as.
WORKER_SLOT = env.read_int("PASTICHE_WORKER_SLOT", 0, low=0, high=999)
# About how many pairs make a part of a run that another worker can take.
SHARD_PAIRS = env.read_int("PASTICHE_SHARD_PAIRS", 100, low=1, high=100_000)
# How many pairs are shown again to a fresh copy of an entry; 0 for none.
REPLAY_PAIRS = env.read_int("PASTICHE_REPLAY_PAIRS", 3, low=0, high=100)
# How many pairs an interrupted run has to repeat before what it made earlier is kept.
RESUME_PAIRS = env.read_int("PASTICHE_RESUME_PAIRS", 2, low=1, high=100)
# The numbers of this machine's GPUs that workers may use, one for each worker process; empty for none.
GPUS = env.read_numbers("PASTICHE_GPUS")
# The largest memory limit of a phase whose runs a worker process takes; 0 means the memory of this machine.
WORKER_MEMORY_MB = (
    env.read_int("PASTICHE_WORKER_MEMORY_MB", 0, low=0, high=100_000_000) or env.machine_memory_mb()
)
# Threads for a generator; 0 means all cores.
COMPUTE_THREADS = env.read_int("PASTICHE_THREADS", 0, low=0, high=1024)
# Where a worker keeps unpacked datasets, reference features and running generators.
WORKER_DIR = env.read_folder("PASTICHE_WORKER_DIR", DATA_DIR / "worker")
# What a worker keeps of stored files and datasets, and of reference features; the least recently used go first.
WORKER_CACHE_MB = env.read_int("PASTICHE_WORKER_CACHE_MB", 10_000, low=0, high=100_000_000)
WORKER_FEATURES_MB = env.read_int("PASTICHE_WORKER_FEATURES_MB", 10_000, low=0, high=100_000_000)
# A worker whose disk has less room than this, caches emptied, takes no run.
WORKER_MIN_FREE_MB = env.read_int("PASTICHE_WORKER_MIN_FREE_MB", 1000, low=0, high=100_000_000)
# A scorer that holds more memory than this is started anew between two runs; datasets kept warm are read again then.
SCORER_MEMORY_MB = env.read_int("PASTICHE_SCORER_MEMORY_MB", 4096, low=0, high=100_000_000)
# Where a worker looks for weight files of official suites first; `python -m evaluation weights fetch` fills it.
WEIGHTS_DIR = env.read_folder("PASTICHE_WEIGHTS_DIR", DATA_DIR / "weights")
# Which sandbox strangers' generators run in: bubblewrap, or docker for containers. Never another one instead.
SANDBOX = env.read_choice("PASTICHE_SANDBOX", "bubblewrap", ("bubblewrap", "docker"))
# For docker: the image, by its digest; gVisor (runsc) or plain runc; the engine's socket.
SANDBOX_IMAGE = env.read_str("PASTICHE_SANDBOX_IMAGE", "")
SANDBOX_RUNTIME = env.read_choice("PASTICHE_SANDBOX_RUNTIME", "runsc", ("runsc", "runc"))
SANDBOX_ENGINE = env.read_str("PASTICHE_SANDBOX_ENGINE", "/var/run/docker.sock")
if SANDBOX == "docker" and not SANDBOX_IMAGE:
    env.stop(
        "PASTICHE_SANDBOX_IMAGE", "PASTICHE_SANDBOX=docker needs an image, as NAME@sha256:... or sha256:..."
    )
# Without a cgroup, watch memory by polling instead; for development only, and shown in each result.
ALLOW_MEMORY_WATCHDOG = env.read_bool("PASTICHE_ALLOW_MEMORY_WATCHDOG", False)
# Run everybody's generators without a sandbox. Needs PASTICHE_DEBUG, and never serves hidden pairs.
ALLOW_PROCESS_DRIVER = env.read_bool("PASTICHE_ALLOW_PROCESS_DRIVER", False)
if ALLOW_PROCESS_DRIVER and not DEBUG:
    env.stop(
        "PASTICHE_ALLOW_PROCESS_DRIVER", "it runs strangers' programs unprotected, so PASTICHE_DEBUG=true too"
    )

# Seed of the demo's style images; empty: a secret one, made once and kept in the data folder.
DEMO_SEED = env.read_str("PASTICHE_DEMO_SEED", "")
if DEMO_SEED and not (DEMO_SEED.isascii() and DEMO_SEED.isdecimal()):
    env.stop("PASTICHE_DEMO_SEED", f"expected a whole number from 0, or nothing, found {DEMO_SEED!r}")

# --- Messages -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.read_broker("PASTICHE_BROKER_URL")
CELERY_HARD_LIMIT_SECONDS = 6 * 3600  # above the longest run that a phase can allow (see Phase.run_seconds)
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
    "visibility_timeout": CELERY_HARD_LIMIT_SECONDS + 3600,
    "socket_connect_timeout": 3,
    "socket_timeout": 30,
}
if CELERY_BROKER_URL == broker.URL:
    broker.register()
    BROKER_DIR = env.read_folder("PASTICHE_BROKER_DIR", DATA_DIR / "broker")
    for _name in ("messages", "processed", "control"):
        (BROKER_DIR / _name).mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": BROKER_DIR / "messages",
        "data_folder_out": BROKER_DIR / "messages",
        "processed_folder": BROKER_DIR / "processed",
        "control_folder": BROKER_DIR / "control",
        "store_processed": False,
        "polling_interval": 0.3,
    }
# Rate limits are counted here: beside Redis by all web processes together, else by each for itself.
CACHES: dict[str, dict[str, object]] = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    if CELERY_BROKER_URL == broker.URL
    else {
        "BACKEND": "config.cache.PatientRedisCache",
        "LOCATION": CELERY_BROKER_URL,
        "KEY_PREFIX": "pastiche",
        "OPTIONS": {"socket_connect_timeout": 1, "socket_timeout": 1},
    }
}
CELERY_TASK_QUEUES = [Queue(q, Exchange(q), routing_key=q) for q in ("evaluation", "intake", "upkeep")]
CELERY_TASK_DEFAULT_QUEUE = CELERY_TASK_DEFAULT_EXCHANGE = CELERY_TASK_DEFAULT_ROUTING_KEY = "upkeep"
QUEUE_OF_TASK = {"evaluate": "evaluation", "assist": "evaluation", "look_at_data": "intake"}
CELERY_TASK_ROUTES = {f"workers.tasks.{name}": {"queue": queue} for name, queue in QUEUE_OF_TASK.items()}
CELERY_TASK_SOFT_TIME_LIMIT = CELERY_HARD_LIMIT_SECONDS - 300
CELERY_TASK_TIME_LIMIT = CELERY_HARD_LIMIT_SECONDS
CELERY_TASK_PUBLISH_RETRY = False  # the outbox is the retry
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_PROC_ALIVE_TIMEOUT = 120  # the sandbox is tried out before a worker process reports ready
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "celerybeat-schedule")
CELERY_BEAT_SCHEDULE = {
    "sweep": {
        "task": "workers.tasks.sweep",
        "schedule": schedule(SWEEP_SECONDS),
        "options": {"expires": SWEEP_SECONDS},
    },
}

# --- Watching -----------------------------------------------------------------------------------------
# How long a process that starts waits for database, storage and broker before it gives up.
START_SECONDS = env.read_int("PASTICHE_START_SECONDS", 60, low=0, high=3600)
# Whoever sends this as bearer token may read /metrics; without it there is no such page.
METRICS_TOKEN = env.read_str("PASTICHE_METRICS_TOKEN", "")
# Each worker process serves its own metrics at this port plus its slot; 0: none does.
METRICS_PORT = env.read_int("PASTICHE_METRICS_PORT", 0, low=0, high=64_000)
METRICS_HOST = env.read_str("PASTICHE_METRICS_HOST", "127.0.0.1")
# Lines for people, or one JSON object a line for machines.
LOG_FORMAT = env.read_choice("PASTICHE_LOG_FORMAT", "line", ("line", "json"))
LOG_LEVEL = env.read_str("PASTICHE_LOG_LEVEL", "INFO").upper()
if LOG_LEVEL not in logging.getLevelNamesMapping():
    env.stop("PASTICHE_LOG_LEVEL", f"expected DEBUG, INFO, WARNING or ERROR, found {LOG_LEVEL!r}")
# One line a request from the web server.
ACCESS_LOG = env.read_bool("PASTICHE_ACCESS_LOG", False)
SECRETS = env.list_secrets(
    [
        SECRET_KEY,
        METRICS_TOKEN,
        DATABASES["default"]["PASSWORD"],
        EMAIL_HOST_PASSWORD,
        env.read_str("PASTICHE_STORAGE_SECRET", ""),
    ],
    addresses=[
        env.read_str("PASTICHE_DATABASE_URL", ""),
        env.read_str("PASTICHE_EMAIL_URL", ""),
        CELERY_BROKER_URL,
    ],
)
LOGGING = logs.configuration(LOG_LEVEL, LOG_FORMAT, secrets=SECRETS, has_access_log=ACCESS_LOG)
