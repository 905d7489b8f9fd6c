"""How changes of rows get into the audit log: a trigger on each table that people work on.

It sees what the admin, the API, jobs, bulk statements and a database console do alike, in the same
transaction. Who acts is a setting of that transaction, which `apps.common.tenancy` makes; without
it, Hookline itself acts.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from apps.common.table_operations import TableOperation

# What says nothing, or is no business of people.
_NEVER = ("id", "account_id", "created_at", "updated_at")

# What is kept of a value: of the queries of addresses the names alone, as credentials stand there.
AUDITED_VALUE = """
CREATE OR REPLACE FUNCTION hookline_audited(name text, value jsonb, masked text[]) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
  SELECT CASE
    WHEN value IS NULL OR value = 'null' THEN 'null'
    WHEN name = ANY (masked) AND value = '""' THEN value
    WHEN name = ANY (masked) THEN '"••••••••"'
    WHEN name ~ '(^|_)url$' THEN to_jsonb(
      regexp_replace(value #>> '{}', '([?&]([^=&#]*=)?)[^&#]+', '\\1••••••••', 'g'))
    WHEN length(value::text) > 2000 THEN to_jsonb(left(value::text, 2000) || '…')
    ELSE value END
$$;
"""

# The owner of the tables writes entries, whoever changed the row: a person may reach an account
# that others of the row's accounts do not.
CREATE_AUDIT = """
CREATE FUNCTION hookline_new_id() RETURNS uuid LANGUAGE sql VOLATILE AS $$
  SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
    || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid
$$;

CREATE FUNCTION hookline_audit() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  origin jsonb := coalesce(nullif(current_setting('hookline.origin', true), ''), '{}')::jsonb;
  left_out text[] := string_to_array(TG_ARGV[4], ',');
  masked text[] := string_to_array(TG_ARGV[5], ',');
  before jsonb := '{}';
  after jsonb := '{}';
  subject jsonb;
  differences jsonb;
  deed text := CASE TG_OP WHEN 'INSERT' THEN 'created' WHEN 'DELETE' THEN 'deleted'
    ELSE 'changed' END;
  label text;
  owners uuid[];
BEGIN
  IF TG_OP <> 'INSERT' THEN before := to_jsonb(OLD); END IF;
  IF TG_OP <> 'DELETE' THEN after := to_jsonb(NEW); END IF;
  SELECT jsonb_object_agg(name, jsonb_build_array(
      hookline_audited(name, before -> name, masked),
      hookline_audited(name, after -> name, masked)))
    INTO differences
    FROM jsonb_object_keys(before || after) AS name
    WHERE name <> ALL (left_out) AND before -> name IS DISTINCT FROM after -> name
      AND (TG_OP = 'UPDATE'
        OR coalesce(after -> name, before -> name) NOT IN ('null', '""', '[]', '{}'));
  IF TG_OP = 'UPDATE' THEN
    IF differences IS NULL THEN RETURN NULL; END IF;
    deed := CASE
      WHEN differences ? 'password' THEN 'password_changed'
      WHEN differences ? 'revoked_at' THEN 'revoked'
      WHEN differences ? 'secret' THEN 'secret_replaced'
      WHEN differences ? 'is_active' AND (after -> 'is_active')::boolean THEN 'enabled'
      WHEN differences ? 'is_active' THEN 'disabled'
      ELSE deed END;
  END IF;
  subject := before || after;
  IF TG_OP = 'DELETE' THEN
    EXECUTE format('SELECT (%s)::text FROM (SELECT ($1).*) AS changed', TG_ARGV[2])
      INTO label USING OLD;
  ELSE
    EXECUTE format('SELECT (%s)::text FROM (SELECT ($1).*) AS changed', TG_ARGV[2])
      INTO label USING NEW;
  END IF;
  IF TG_ARGV[1] = '' THEN
    owners := ARRAY[(subject ->> 'account_id')::uuid];
  ELSE
    EXECUTE TG_ARGV[1] INTO owners USING (subject ->> 'id')::uuid;
  END IF;
  INSERT INTO common_auditentry (id, created_at, account_id, action, note, object_type, object_id,
      object_label, parent_id, changes, actor_kind, actor_id, actor_label, via, ip, user_agent,
      request_id)
    SELECT hookline_new_id(), clock_timestamp(), owner, deed, '', TG_ARGV[0],
      (subject ->> 'id')::uuid, left(coalesce(label, ''), 200), (subject ->> TG_ARGV[3])::uuid,
      coalesce(differences, '{}'), coalesce(origin ->> 'kind', 'system'),
      (origin ->> 'actor_id')::uuid, left(coalesce(origin ->> 'label', 'Hookline'), 200),
      coalesce(origin ->> 'via', ''), (origin ->> 'ip')::inet,
      coalesce(origin ->> 'user_agent', ''), coalesce(origin ->> 'request_id', '')
    FROM unnest(owners) AS owner;
  RETURN NULL;
END $$;
"""
DROP_AUDIT = """
DROP FUNCTION hookline_audit();
DROP FUNCTION hookline_audited(text, jsonb, text[]);
DROP FUNCTION hookline_new_id();
"""


class Audited(TableOperation):
    """Write every change of a table's rows to the audit log.

    `model` is its label, as `webhooks.Webhook`. `label` is SQL for what people call the row, which
    is named `changed` in it. `parent` is the column of the row whose history shows these changes,
    too. `masks` are columns of which the log says only that they changed, `leaves_out` those that
    it does not mention. `accounts` is SQL for an array of the accounts that an id `$1` is of; ""
    takes the row's own account. `events` is what is written of, as triggers have it.
    """

    def __init__(
        self,
        model: str,
        *,
        label: str = "changed.name",
        parent: str = "",
        masks: Sequence[str] = (),
        leaves_out: Sequence[str] = (),
        accounts: str = "",
        events: str = "INSERT OR UPDATE OR DELETE",
    ) -> None:
        self.model = model
        self.options = {
            "label": label,
            "parent": parent,
            "masks": tuple(masks),
            "leaves_out": tuple(leaves_out),
            "accounts": accounts,
            "events": events,
        }

    def deconstruct(self) -> tuple[str, list[Any], dict[str, Any]]:
        """Return what rebuilds this operation."""
        return type(self).__name__, [self.model], dict(self.options)

    def creates(self, table: str) -> Iterator[str]:
        """Create the trigger."""
        options = self.options
        arguments = (
            self.model.lower(),
            options["accounts"],
            options["label"],
            options["parent"],
            ",".join([*_NEVER, *options["leaves_out"]]),
            ",".join(options["masks"]),
        )
        quoted = ", ".join("'" + str(one).replace("'", "''") + "'" for one in arguments)
        yield (
            f"CREATE TRIGGER audited AFTER {options['events']} ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION hookline_audit({quoted})"
        )

    def drops(self, table: str) -> Iterator[str]:
        """Drop the trigger."""
        yield f"DROP TRIGGER audited ON {table}"

    def describe(self) -> str:
        """Return the line that `migrate` prints."""
        return f"Write changes of {self.model} to the audit log"
