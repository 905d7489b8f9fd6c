"""Migration operations on a table that Django's model state knows nothing of."""

from collections.abc import Iterable, Iterator
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState


class TableOperation(Operation):
    """Statements about the table of `model`: its name, or its label if it is of another room."""

    reversible = True
    reduces_to_sql = True
    model: str

    def creates(self, table: str) -> Iterable[str]:
        """Return the statements that do it."""
        raise NotImplementedError

    def drops(self, table: str) -> Iterable[str]:
        """Return the statements that undo it."""
        raise NotImplementedError

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Leave the state as it is."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Do it."""
        for statement in self.creates(self._table(app_label, to_state)):
            schema_editor.execute(statement)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Undo it."""
        for statement in self.drops(self._table(app_label, from_state)):
            schema_editor.execute(statement)

    def _table(self, app_label: str, state: ProjectState) -> str:
        label = self.model if "." in self.model else f"{app_label}.{self.model}"
        return str(state.apps.get_model(label)._meta.db_table)


class SpareAnalysis(TableOperation):
    """Keep ANALYZE from columns that no query compares: to sort documents is most of its work."""

    def __init__(self, model: str, *columns: str) -> None:
        self.model = model
        self.columns = columns

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what rebuilds this operation."""
        return type(self).__name__, [self.model, *self.columns], {}

    def creates(self, table: str) -> Iterator[str]:
        """Gather nothing of these columns."""
        for column in self.columns:
            yield f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS 0"

    def drops(self, table: str) -> Iterator[str]:
        """Gather as much as of any column."""
        for column in self.columns:
            yield f"ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS -1"

    def describe(self) -> str:
        """Return the line that `migrate` prints."""
        return f"Spare ANALYZE the documents of {self.model}"
