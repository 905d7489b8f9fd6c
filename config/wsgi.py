"""The WSGI entry point that the production server loads."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

from apps.common.heartbeat import start_beating

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
# Now, and not while somebody waits for the first answer.
import_module("config.urls")
# Signs of life from each process that serves: the main one replaces those of them that hang.
start_beating()
