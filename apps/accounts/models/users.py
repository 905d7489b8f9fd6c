"""People."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from apps.common.models import HooklineModel


class UserManager(BaseUserManager["User"]):
    """Makes users, who are known by their e-mail."""

    def create_user(
        self, email: str, password: str | None = None, *, full_name: str = "", **fields: Any
    ) -> "User":
        """Make a user; without a password they set one through a link."""
        user = self.model(email=email.strip().lower(), full_name=full_name, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str, **fields: Any) -> "User":
        """Make an operator, as `manage.py createsuperuser` does."""
        return self.create_user(email, password, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find a user by e-mail, whatever its case."""
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser, HooklineModel):
    """Somebody who logs in by e-mail. What they reach is decided by memberships alone.

    `is_superuser` marks an operator: somebody who runs this installation.
    """

    ID_PREFIX = "usr"
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    email = models.EmailField("e-mail", unique=True)
    full_name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: this person can not log in anywhere."
    )
    is_superuser = models.BooleanField(
        "operator", default=False, help_text="Runs this installation and reaches every account."
    )

    objects = UserManager()

    class Meta:
        ordering = ["email"]
        constraints = [
            # People are looked up by it, and do not all write it alike.
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"
            )
        ]

    def __str__(self) -> str:
        return self.full_name or self.email

    @property
    def audit_label(self) -> str:
        """Name somebody by the e-mail, as an account may have invited who has not come yet."""
        return self.email

    def clean(self) -> None:
        """Keep the e-mail in lower case."""
        super().clean()
        self.email = self.email.strip().lower()

    @property
    def is_staff(self) -> bool:
        """Everybody who can log in works in the admin; roles decide what they see there."""
        return self.is_active

    def has_perm(self, perm: str, obj: object = None) -> bool:
        """Django's own permissions are not used; only operators pass where they are asked."""
        return self.is_active and self.is_superuser

    def has_perms(self, perm_list: Any, obj: object = None) -> bool:
        """See `has_perm`."""
        return self.is_active and self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        """See `has_perm`."""
        return self.is_active and self.is_superuser

    def get_full_name(self) -> str:
        """Return the name that the admin greets with."""
        return self.full_name or self.email

    def get_short_name(self) -> str:
        """Return the first name, or what stands before the @."""
        return self.full_name.split(" ")[0] or self.email.split("@")[0]
