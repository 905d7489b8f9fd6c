"""What a case is."""

# The place, a value as samples have it, and the token that belongs there; None for none, and then
# none may be selected beforehand.
Case = tuple[str, str, str | None]
