#!/usr/bin/env python
"""Hookline's command line: `python manage.py help` lists the commands."""

import os
import sys

from apps.common.garbage import collect_seldom


def main() -> None:
    """Run one management command."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    # A fifth of the time of `migrate`, and a part of the start of every other command.
    collect_seldom()
    # These make the keys and services that the settings ask for, so they run without them.
    if sys.argv[1:2] == ["up"]:
        from apps.console.management.commands.up import Command as Up

        Up().run_from_argv(sys.argv)
        return
    if sys.argv[1:2] == ["demo"]:
        from apps.console.management.commands.demo import Command as Demo

        Demo().run_from_argv(sys.argv)
        return
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
