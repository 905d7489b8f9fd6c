"""The test on the tab Webhook Settings of an IVR."""

import uuid
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from apps.common.access import Role
from apps.common.admin import access_of
from apps.common.tenancy import opens_scopes, tenant_scope
from apps.delivery.trying import answer_with
from apps.ivr.admin.exchanges import told_of
from apps.ivr.models import IvrHook
from apps.ivr.results import MAX_ANSWER_CHARS
from apps.ivr.testing import prepare_test, send_and_tell
from apps.ivr.values import answers_of
from apps.webhooks.wizard.preview import snapshot_of, sources_of


def asked_for(hook: IvrHook) -> dict[str, Any]:
    """Return what a test is sent for: the calls to pick from, and the questions to answer."""
    return {
        "sources": sources_of(hook),
        "answers": answers_of(hook.ivr).items(),
        "most_chars": MAX_ANSWER_CHARS,
    }


@require_POST
@opens_scopes
def ivr_test(request: HttpRequest, ivr_id: uuid.UUID) -> HttpResponse:
    """Ask the receiver of an IVR for the call and the answers that were picked, and show it all."""
    access = access_of(request)
    with tenant_scope(access):
        hooks = IvrHook.objects.filter(account_id__in=access.account_ids)
        hook = get_object_or_404(hooks.select_related("ivr"), ivr_id=ivr_id)
        if not access.has_role(Role.MEMBER, hook.account_id):
            raise PermissionDenied
        test = prepare_test(
            hook=hook,
            snapshot=snapshot_of(hook, request.POST.get("call", "")),
            answers={
                name.rpartition(".")[2]: request.POST.get(name, "")[:MAX_ANSWER_CHARS]
                for name in answers_of(hook.ivr)
            },
            now=timezone.now(),
        )

    def page(context: dict[str, Any]) -> TemplateResponse:
        return TemplateResponse(request, "admin/ivr/ivrhook/tested.html", context)

    return answer_with(
        lambda: told_of(send_and_tell(test, access=access), access), access=access, page=page
    )
