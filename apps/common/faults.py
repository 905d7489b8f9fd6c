"""Telling faults of a part by its place in the whole."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError


@contextmanager
def faults_at(place: str) -> Iterator[None]:
    """Raise a ValidationError of the block again, with `place/` before the names of its fields."""
    try:
        yield
    except ValidationError as error:
        raise ValidationError(
            {
                place if name == NON_FIELD_ERRORS else f"{place}/{name}": faults
                for name, faults in error.update_error_dict({}).items()
            }
        ) from None
