"""When the interpreter looks for garbage in cycles.

Our processes leave hardly any, while each request and each delivery makes and drops hundreds of
objects: at the usual threshold, looking takes up to a fifth of a web process's time.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# Objects made, less those dropped, before the collector looks: some megabytes.
_COLLECT_AFTER = 50_000


def collect_seldom() -> None:
    """Look for garbage seldom, and never in what is there already."""
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Do so for a `with` block."""
    usual = gc.get_threshold()
    collect_seldom()
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
