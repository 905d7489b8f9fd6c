"""Migration operations for row security. Every account-owned table gets `EnableRowSecurity`."""

from collections.abc import Iterator, Mapping
from typing import Any

from apps.common.table_operations import TableOperation
from apps.common.tenancy import TENANT_ROLE

# The role is cluster-wide and shared by the databases of parallel test runs: another one may make
# or grant it at this very moment, which is no error. Each step is to be committed by itself, so
# that the next one sees it, whoever made it.
CREATE_ROLE = (
    f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{TENANT_ROLE}') THEN
    CREATE ROLE {TENANT_ROLE} NOLOGIN;
  END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
""",
    f"""
DO $$ BEGIN
  SET LOCAL ROLE {TENANT_ROLE};
  RESET ROLE;
EXCEPTION WHEN insufficient_privilege THEN
  BEGIN
    GRANT {TENANT_ROLE} TO CURRENT_USER;
  EXCEPTION WHEN internal_error OR unique_violation THEN NULL;
  END;
END $$
""",
    f"GRANT USAGE ON SCHEMA public TO {TENANT_ROLE}",
)
# What the policies ask of the tenant scope.
CREATE_FUNCTIONS = """
CREATE FUNCTION hookline_reachable() RETURNS uuid[] LANGUAGE sql STABLE AS
  $$ SELECT string_to_array(current_setting('hookline.account_ids', true), ',')::uuid[] $$;
CREATE FUNCTION hookline_shared_from() RETURNS uuid[] LANGUAGE sql STABLE AS
  $$ SELECT string_to_array(current_setting('hookline.shared_from_ids', true), ',')::uuid[] $$;
CREATE FUNCTION hookline_user() RETURNS uuid LANGUAGE sql STABLE AS
  $$ SELECT nullif(current_setting('hookline.user_id', true), '')::uuid $$;
"""
DROP_FUNCTIONS = (
    "DROP FUNCTION hookline_reachable(); DROP FUNCTION hookline_shared_from();"
    " DROP FUNCTION hookline_user();"
)

# The sub-select makes PostgreSQL work the list out once a query, not once a row.
REACHABLE = "ANY ((SELECT hookline_reachable())::uuid[])"
SHARED_FROM = "ANY ((SELECT hookline_shared_from())::uuid[])"


class EnableRowSecurity(TableOperation):
    """Put a table behind the wall: only rows of reachable accounts are seen or written.

    `references` names columns that must point into the same account, as {column: table}: PostgreSQL
    checks foreign keys without regard to row security, so a forged one would pass otherwise.
    `using` replaces the rule that a row's own account must be reachable, `privileges` what the
    restricted role may do at all; without this operation it may do nothing.
    """

    def __init__(
        self,
        model: str,
        references: Mapping[str, str] | None = None,
        using: str = f"account_id = {REACHABLE}",
        privileges: str = "SELECT, INSERT, UPDATE, DELETE",
    ) -> None:
        self.model = model
        self.references = dict(references or {})
        self.using = using
        self.privileges = privileges

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what rebuilds this operation."""
        options = {
            "references": self.references,
            "using": self.using,
            "privileges": self.privileges,
        }
        return type(self).__name__, [self.model], options

    def creates(self, table: str) -> Iterator[str]:
        """Create the policy."""
        check = " AND ".join(
            [self.using, *(_same_account(table, *item) for item in self.references.items())]
        )
        yield f"GRANT {self.privileges} ON {table} TO {TENANT_ROLE}"
        yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
        yield (
            f"CREATE POLICY tenant_wall ON {table} TO {TENANT_ROLE}"
            f" USING ({self.using}) WITH CHECK ({check})"
        )

    def drops(self, table: str) -> Iterator[str]:
        """Drop the policy."""
        yield f"DROP POLICY tenant_wall ON {table}"
        yield f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY"
        yield f"REVOKE ALL ON {table} FROM {TENANT_ROLE}"

    def describe(self) -> str:
        """Return the line that `migrate` prints."""
        return f"Put {self.model} behind row security"


class CheckReferences(TableOperation):
    """Let the restricted role write only rows whose foreign keys stay in their account.

    For tables that are behind the wall already; `references` as for `EnableRowSecurity`, `check`
    further SQL that must hold of a row.
    """

    def __init__(
        self, model: str, references: Mapping[str, str] | None = None, check: str = "TRUE"
    ) -> None:
        self.model = model
        self.references = dict(references or {})
        self.check = check

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what rebuilds this operation."""
        options = {"references": self.references, "check": self.check}
        return type(self).__name__, [self.model], options

    def creates(self, table: str) -> Iterator[str]:
        """Create the policy; a restrictive one narrows what the others allow."""
        check = " AND ".join(
            [*(_same_account(table, *item) for item in self.references.items()), self.check]
        )
        yield (
            f"CREATE POLICY same_account ON {table} AS RESTRICTIVE TO {TENANT_ROLE}"
            f" USING (TRUE) WITH CHECK ({check})"
        )

    def drops(self, table: str) -> Iterator[str]:
        """Drop the policy."""
        yield f"DROP POLICY same_account ON {table}"

    def describe(self) -> str:
        """Return the line that `migrate` prints."""
        return f"Check the references of {self.model}"


def _same_account(table: str, column: str, target: str) -> str:
    return (
        f"({table}.{column} IS NULL OR EXISTS (SELECT FROM {target} target"
        f" WHERE target.id = {table}.{column} AND target.account_id = {table}.account_id))"
    )
