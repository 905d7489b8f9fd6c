"""The WSGI entry point that the web server loads (config/web.py)."""

import os
from importlib import import_module

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
application.request_class = import_module("apps.common.charsets").Utf8Request
# Now, and not while somebody waits for the first answer.
import_module("config.urls")
