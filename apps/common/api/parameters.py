"""What views read from the query string themselves."""

import uuid

from django.core.exceptions import PermissionDenied
from rest_framework.request import Request

from apps.common.access import Access, Role
from apps.common.api.fields import ACCOUNT_PREFIX
from apps.common.api.filters import InvalidParameters, invalid_parameter
from apps.common.api.serializers import check_role
from apps.common.api.views import access_of
from apps.common.ids import InvalidPublicId, decode_public_id
from apps.common.problems import NOT_FOUND, ParameterProblem, Problem


def refuse_unknown_parameters(request: Request, known: set[str]) -> None:
    """Raise a Problem 400 for parameters that there are not."""
    faults = [
        ParameterProblem(name, "unknown_parameter", "There is no such parameter here.")
        for name in request.query_params
        if name not in known
    ]
    if faults:
        raise InvalidParameters(faults)


def named_account(request: Request, role: Role) -> list[uuid.UUID]:
    """Return the account that `account` names, else all in which the role is held.

    A Problem 404 for one out of reach, 403 for a lesser role, and PermissionDenied where the role
    is held nowhere.
    """
    access: Access = access_of(request)
    named = request.query_params.get("account")
    if named is None:
        found = [key for key in access.account_ids if access.has_role(role, key)]
        if not found:
            raise PermissionDenied
        return found
    try:
        key = decode_public_id(ACCOUNT_PREFIX, named)
    except InvalidPublicId as error:
        raise invalid_parameter("account", str(error)) from None
    if key not in access.accounts:
        fault = ParameterProblem("account", NOT_FOUND, "There is no such account here.")
        raise Problem(404, NOT_FOUND, fault.message, errors=[fault])
    check_role(access, role, key)
    return [key]


def whole_number(request: Request, name: str, most: int, default: int) -> int:
    """Return a parameter from 1 to `most`; a Problem 400 for anything else."""
    text = request.query_params.get(name, str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= most):
        raise invalid_parameter(name, f"A whole number from 1 to {most}.")
    return int(text)
