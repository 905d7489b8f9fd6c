"""Which columns of a row are too long to be read for a list."""

from collections.abc import Collection, Iterable

from django.db.models import JSONField, Model, TextField


def documents_of(
    model: type[Model], along: Iterable[str] = (), shown: Collection[str] = ()
) -> list[str]:
    """Return the documents, long texts and secrets of a model, but for those that are shown.

    `along` are the relations that are fetched along, as for `select_related`.
    """
    found = [name for name in _documents(model) if name not in shown]
    for path in along:
        related = model
        steps = path.split("__")
        for depth, step in enumerate(steps, start=1):
            target = related._meta.get_field(step).related_model
            if not isinstance(target, type) or not issubclass(target, Model):
                break
            related = target
            found += [f"{'__'.join(steps[:depth])}__{name}" for name in _documents(related)]
    return list(dict.fromkeys(found))


def _documents(model: type[Model]) -> list[str]:
    fields = model._meta.concrete_fields
    return [field.name for field in fields if isinstance(field, JSONField | TextField)]
