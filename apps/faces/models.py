"""Webhooks as the systems that Hookline replaces know them: the same rows, by their face."""

from typing import Any, ClassVar

from django.db import models

from apps.webhooks.models import Webhook


class OfFace(models.Manager[Any]):
    """Finds the webhooks of one face."""

    def __init__(self, face: Webhook.Face) -> None:
        super().__init__()
        self._face = face

    def get_queryset(self) -> models.QuerySet[Any]:
        """Return the webhooks that were made on the screen of this system."""
        return super().get_queryset().filter(face=self._face)


class PostCallAction(Webhook):
    """A webhook that sends chosen parameters of a call when it has ended."""

    FACE = Webhook.Face.POST_CALL

    objects: ClassVar[OfFace] = OfFace(FACE)

    class Meta:
        proxy = True
        ordering = ["name"]
        verbose_name = "post-call action"


class CallComplete(Webhook):
    """A webhook that sends the event Call.Complete."""

    FACE = Webhook.Face.CALL_COMPLETE

    objects: ClassVar[OfFace] = OfFace(FACE)

    class Meta:
        proxy = True
        ordering = ["name"]
        verbose_name = "Call.Complete webhook"


class CallNotification(Webhook):
    """A webhook that notifies of the start of calls, their end, and their later changes."""

    FACE = Webhook.Face.NOTIFICATIONS

    objects: ClassVar[OfFace] = OfFace(FACE)

    class Meta:
        proxy = True
        ordering = ["name"]
        verbose_name = "call notification"
