"""The pages of imports and exports: a file, its dry run, and one confirmation."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from apps.accounts.authentication import person_of
from apps.accounts.models import Account
from apps.campaigns.models import Import, SheetKind
from apps.campaigns.sheets import cancel_import, confirm_import, export_rows, start_import
from apps.campaigns.sheets.kinds import KINDS
from apps.campaigns.sheets.reading import MOST_BYTES, MOST_ROWS
from apps.common.access import Role
from apps.common.admin import (
    ReadOnlyAdmin,
    access_of,
    form_accounts,
    labelled,
    page_context,
    tone_of,
)
from apps.common.admin.choosing import RowSelect, answer_choices, ask_at

_MOST_SHOWN = 200
_ABOUT = {
    SheetKind.LOCATIONS: "The places that receive calls. They come first.",
    SheetKind.CAMPAIGNS: "Why people call, each at its location.",
    SheetKind.NUMBERS: "The numbers that callers dial, with the location and campaign of each.",
}


class ImportForm(forms.Form):
    """A CSV file, and the account that it is for where there are several."""

    account = forms.ModelChoiceField(queryset=Account.objects.none(), widget=RowSelect)
    file = forms.FileField(
        label="File",
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=f"CSV with up to {MOST_ROWS:,} rows, as spreadsheets save it.",
    )

    def __init__(self, *args: Any, account_ids: list[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(account_ids) == 1:
            del self.fields["account"]
        else:
            choices = Account.objects.filter(pk__in=account_ids)
            self.fields["account"].queryset = choices  # type: ignore[attr-defined]
        self.account_ids = account_ids

    @property
    def account_id(self) -> Any:
        """Return the account that is meant."""
        chosen = self.cleaned_data.get("account")
        return chosen.pk if chosen else self.account_ids[0]

    def clean_file(self) -> Any:
        """Refuse a file that is too large before it is read."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(f"The file is larger than {MOST_BYTES:,} bytes; split it.")
        return file


class ImportAdmin(ReadOnlyAdmin):
    """Imports, newest first."""

    view_role = Role.MEMBER
    empty_text = "Locations, campaigns and tracking numbers, from CSV files."
    list_display = ["created_at", "kind", "file_name", "shown_state", "row_total", "started_by"]
    list_filter = ["kind", "state"]
    list_select_related = ["started_by"]
    search_fields = ["file_name"]
    search_help_text = "File"
    fieldsets = [(None, {"fields": ["kind", "file_name", "state"]})]
    change_form_template = "admin/campaigns/import/change_form.html"
    change_list_template = "admin/campaigns/import/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        """Add the pages to choose a kind, upload, confirm, cancel and export."""
        wrapped = self.admin_site.admin_view
        return [
            path("new/", wrapped(self.choose_view), name="campaigns_import_choose"),
            path("new/<str:kind>/", wrapped(self.new_view), name="campaigns_import_new"),
            path("export/<str:kind>/", wrapped(self.export_view), name="campaigns_import_export"),
            path(
                "<path:object_id>/confirm/",
                wrapped(self.confirm_view),
                name="campaigns_import_confirm",
            ),
            path(
                "<path:object_id>/cancel/",
                wrapped(self.cancel_view),
                name="campaigns_import_cancel",
            ),
            *super().get_urls(),
        ]

    def annotated(self, queryset: QuerySet[Import]) -> QuerySet[Import]:
        """Leave the files where they are."""
        return queryset.defer("content", "faults")

    def openable(self, request: HttpRequest) -> QuerySet[Any]:
        """Leave the file where it is."""
        return super().openable(request).defer("content").select_related("started_by")

    def choose_view(self, request: HttpRequest) -> HttpResponse:
        """Ask what to import."""
        if not form_accounts(request, None, Role.MEMBER):
            raise PermissionDenied
        kinds = [(kind.value, kind.label, about) for kind, about in _ABOUT.items()]
        context = page_context(self, request, title="What do you want to import?", kinds=kinds)
        return TemplateResponse(request, "admin/campaigns/import/choose.html", context)

    def new_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Take a file in, and lead to what its check has found."""
        sheet = KINDS.get(kind)
        account_ids = form_accounts(request, None, Role.MEMBER)
        if sheet is None:
            raise Http404
        if not account_ids:
            raise PermissionDenied
        form = ImportForm(request.POST or None, request.FILES or None, account_ids=account_ids)
        ask_at(request.get_full_path(), form.fields)
        if answer := answer_choices(request, form.fields):
            return answer
        if request.method == "POST" and form.is_valid():
            file = form.cleaned_data["file"]
            by = person_of(request)
            try:
                made = start_import(
                    account_id=form.account_id,
                    kind=kind,
                    file_name=file.name,
                    content=file.read(),
                    by=by,
                )
            except ValidationError as error:
                form.add_error("file", error.messages)
            else:
                return redirect("admin:campaigns_import_change", made.pk)
        label = SheetKind(kind).label
        context = page_context(
            self,
            request,
            title=f"Import {label.lower()}",
            form=form,
            columns=sheet.columns,
            list_address=_list_of(kind),
        )
        return TemplateResponse(request, "admin/campaigns/import/new.html", context)

    def beside_form(self, request: HttpRequest, row: Import) -> dict[str, Any]:
        """Show what the check has found, how far it has come, and what can be done."""
        may_work = access_of(request).has_role(Role.MEMBER, row.account_id)
        return {
            "title": str(row),
            "tone": tone_of(self.shown_state, row.get_state_display()),
            "faults": row.faults[:_MOST_SHOWN],
            "is_at_work": row.state in Import.State.at_work(),
            "may_confirm": may_work and row.state == Import.State.READY,
            "may_cancel": may_work and row.state in Import.State.to_cancel(),
            "may_try_again": may_work and row.state == Import.State.REFUSED,
            "list_address": _list_of(row.kind),
            "show_history": False,
        }

    def confirm_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Write what was checked."""
        imported: Import = self.row_to_act_on(request, object_id, Role.MEMBER)
        if request.method == "POST":
            try:
                confirm_import(imported=imported)
            except ValidationError as error:
                messages.error(request, " ".join(error.messages))
        return redirect("admin:campaigns_import_change", imported.pk)

    def cancel_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Cancel what is not confirmed, and say where it stands otherwise."""
        imported: Import = self.row_to_act_on(request, object_id, Role.MEMBER)
        if request.method == "POST":
            imported = cancel_import(imported=imported)
            if imported.state == Import.State.CANCELLED:
                messages.success(request, "It is cancelled: nothing was written.")
            else:
                state = imported.get_state_display().lower()
                messages.error(request, f"This import can not be cancelled any more: {state}.")
        return redirect("admin:campaigns_import_change", imported.pk)

    def export_view(self, request: HttpRequest, kind: str) -> HttpResponse:
        """Send what the list shows, with its filters, as a file."""
        if kind not in KINDS:
            raise Http404
        listed: Any = self.admin_site.get_model_admin(KINDS[kind].model)
        if not listed.has_view_permission(request):
            raise PermissionDenied
        try:
            content = export_rows(kind=kind, rows=listed.get_changelist_instance(request).queryset)
        except IncorrectLookupParameters:
            return redirect(_list_of(kind))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(_list_of(kind))
        return HttpResponse(
            content,
            content_type="text/csv; charset=utf-8",
            headers={
                "Content-Disposition": f'attachment; filename="{kind}.csv"',
                "Cache-Control": "no-store",
            },
        )

    @labelled(
        "state",
        {
            "Done": "success",
            "Ready": "info",
            "Being checked": "info",
            "Being written": "info",
            "Has faults": "danger",
        },
        ordering="state",
    )
    def shown_state(self, imported: Import) -> str:
        """Return where it stands."""
        return imported.get_state_display()


def _list_of(kind: str) -> str:
    options = KINDS[kind].model._meta
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
