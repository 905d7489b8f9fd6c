"""Migration operations on a table that Django's model state knows nothing of."""

from collections.abc import Iterable

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
