"""Abstract models that the rooms build on, and the audit log."""

import copy
import re
import uuid
from collections.abc import Collection, Mapping
from typing import Any, ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models
from django.utils import timezone

from apps.common.fields import EncryptedTextField, kept_secrets
from apps.common.ids import decode_public_id, encode_public_id, new_id
from apps.common.origin import ActorKind

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class HooklineModel(models.Model):
    """A row with a time-ordered key, a public id and the moment it was made."""

    ID_PREFIX: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # The columns as they were read, where that is known.
    _as_read: Mapping[str, Any] | None = None

    class Meta:
        abstract = True

    def keep_as_read(self) -> None:
        """Take note of the columns as they are now, for `save_changed`."""
        self._as_read = copy.deepcopy(self._columns())

    def save_changed(self, among: Collection[str] | None = None) -> None:
        """Save the columns that are not as they were read; all where that is not known.

        `among` names those that may be saved; None stands for every one.
        """
        if (read := self._as_read) is None:
            self.save(update_fields=among)
            return
        columns = self._columns()
        changed = [
            name
            for name in (columns if among is None else among)
            if name not in read or read[name] != columns[name]
        ]
        if changed:
            self.save(update_fields=changed)

    def _columns(self) -> dict[str, Any]:
        """Return the columns that the row has here, without those that are deferred."""
        known, fields = self.__dict__, self._meta.concrete_fields
        return {each.name: known[each.attname] for each in fields if each.attname in known}

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Refuse line breaks and other control characters in what is one line.

        Secrets that nobody has replaced are as good as they were.
        """
        super().clean_fields(exclude={*kept_secrets(self), *(exclude or ())})
        faulty = {
            field.name: "This is one line, without control characters."
            for field in self._meta.concrete_fields
            if isinstance(field, models.CharField)
            and field.name not in (exclude or ())
            and _CONTROL.search(str(getattr(self, field.attname) or ""))
        }
        if faulty:
            raise ValidationError(faulty)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Say where a row has what another one has already; Django would not, and has two codes."""
        excluded = {*kept_secrets(self), *(exclude or ())}
        faults: dict[str, list[ValidationError]] = {}
        for model, constraints in self.get_constraints():
            for constraint in constraints:
                try:
                    constraint.validate(model, self, exclude=excluded)
                except ValidationError as error:
                    if isinstance(constraint, models.UniqueConstraint):
                        faults = not_unique(model, constraint).update_error_dict(faults)
                    else:
                        faults = error.update_error_dict(faults)
        if faults:
            raise ValidationError(faults)

    @property
    def audit_label(self) -> str:
        """What the audit log calls the row."""
        return str(self)

    @property
    def public_id(self) -> str:
        """The id that people and clients see, as `wh_01jd2x…`."""
        return encode_public_id(self.ID_PREFIX, self.pk)

    @classmethod
    def key_of(cls, public_id: str) -> uuid.UUID:
        """Return the key behind a public id of this model; raise InvalidPublicId otherwise."""
        return decode_public_id(cls.ID_PREFIX, public_id)


def not_unique(model: type[models.Model], constraint: models.UniqueConstraint) -> ValidationError:
    """Return the fault of a row that has what another one has already.

    It is at the last of two fields: the first is what the row belongs to.
    """
    own: Any = model._meta.get_field(constraint.fields[-1])
    message = constraint.get_violation_error_message()
    if constraint.violation_error_message == constraint.default_violation_error_message:
        message = f"Another {model._meta.verbose_name} has this {own.verbose_name}."
    place = own.name if len(constraint.fields) == 2 else NON_FIELD_ERRORS
    return ValidationError({place: ValidationError(message, code="not_unique")})


class AccountOwned(HooklineModel):
    """A row that belongs to one account, for good."""

    account = models.ForeignKey("accounts.Account", models.CASCADE, related_name="+")

    class Meta:
        abstract = True

    def clean(self) -> None:
        """Refuse relations to rows of another account, as if those did not exist."""
        super().clean()
        if not self.account_id:
            return
        for relation in self._meta.concrete_fields:
            target = relation.related_model
            if not (isinstance(target, type) and issubclass(target, AccountOwned)):
                continue
            if getattr(self, relation.attname) is None:
                continue
            related = target._base_manager.filter(pk=getattr(self, relation.attname)).first()
            if related is None or not self._may_relate_to(relation.name, related):
                message = f"There is no such {target._meta.verbose_name} here."
                raise ValidationError({relation.name: ValidationError(message, code="not_found")})

    def _may_relate_to(self, relation: str, related: "AccountOwned") -> bool:
        """Tell whether a relation may point at this row; templates shared by an agency differ."""
        return related.account_id == self.account_id


class AuditAction(models.TextChoices):
    """What was done."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    DELETED = "deleted", "Deleted"
    ENABLED = "enabled", "Switched on"
    DISABLED = "disabled", "Switched off"
    REVOKED = "revoked", "Revoked"
    SECRET_REPLACED = "secret_replaced", "Secret replaced"
    SECRET_SHOWN = "secret_shown", "Secret shown"
    INVITED = "invited", "Invited again"
    LOGGED_IN = "logged_in", "Logged in"
    LOGIN_FAILED = "login_failed", "Log-in failed"
    PASSWORD_CHANGED = "password_changed", "Password changed"
    RESENT = "resent", "Sent again"
    TESTED = "tested", "Test sent"
    IMPORTED = "imported", "Imported"
    EXPORTED = "exported", "Exported"
    APPLIED = "applied", "Applied to locations"
    ERASED = "erased", "Personal data erased"
    NOTED = "noted", "Noted"


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    """What is asked of the audit log."""

    def about(self, key: uuid.UUID) -> "AuditEntryQuerySet":
        """Return the entries of a row and of what belongs to it."""
        return self.filter(models.Q(object_id=key) | models.Q(parent_id=key))


class AuditEntry(AccountOwned):
    """One thing that was done, by whom and from where. Nobody changes it; the purge deletes it.

    `changes` has [before, after] by column; of secrets it says only that they changed. The actor
    and the row are kept by id and by name, as they may be gone, or out of the reader's reach.
    """

    ID_PREFIX = "aud"

    action = models.CharField(max_length=20, choices=AuditAction)
    note = models.CharField(max_length=300, blank=True)
    object_type = models.CharField("type", max_length=60, blank=True)
    object_id = models.UUIDField(null=True)
    object_label = models.CharField("what", max_length=200, blank=True)
    parent_id = models.UUIDField(null=True)
    changes = models.JSONField(default=dict)
    actor_kind = models.CharField(
        "by a", max_length=8, choices=[(kind.value, kind.value) for kind in ActorKind]
    )
    actor_id = models.UUIDField(null=True)
    actor_label = models.CharField("who", max_length=200)
    via = models.CharField(max_length=10, blank=True)
    ip = models.GenericIPAddressField("IP address", null=True)
    user_agent = models.CharField("program", max_length=300, blank=True)
    request_id = models.CharField("request", max_length=64, blank=True)

    objects = AuditEntryQuerySet.as_manager()

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit log"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["account", "-created_at", "-id"], name="audit_of_account"),
            models.Index(fields=["object_id", "-created_at"], name="audit_of_row"),
            models.Index(
                fields=["parent_id", "-created_at"],
                condition=models.Q(parent_id__isnull=False),
                name="audit_of_parent",
            ),
            models.Index(fields=["account", "actor_id", "-created_at"], name="audit_of_actor"),
        ]

    def __str__(self) -> str:
        return " ".join(filter(None, [self.get_action_display(), self.object_label])).strip()


class StoredAnswer(AccountOwned):
    """What a POST with an `Idempotency-Key` was answered, to be repeated for a day.

    `sender` is the API key or the person. The body may hold a secret that is shown once, so it is
    kept encrypted; there is none where it was too large to keep. `digest` tells whether the same
    key comes with another request. A status of 102 holds the key of one that is under way.
    """

    ID_PREFIX = "ans"

    sender = models.UUIDField()
    key = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField()
    body = EncryptedTextField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "key"], name="answer_once_a_sender_and_key")
        ]
        indexes = [models.Index(fields=["created_at"], name="answer_oldest")]

    def __str__(self) -> str:
        return self.public_id
