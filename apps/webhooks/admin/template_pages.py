"""The pages of a template beside its form: use, versions, duplicate, export, import."""

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.text import slugify

from apps.accounts.authentication import person_of
from apps.accounts.models import Account
from apps.common.access import Role
from apps.common.admin import access_of, confirmed, form_accounts, page_context
from apps.webhooks.models import Template
from apps.webhooks.versions import (
    MOST_FILE_BYTES,
    as_file,
    differences,
    duplicate,
    from_file,
    go_back,
    use_of,
)

if TYPE_CHECKING:
    from apps.common.admin import AccountScopedAdmin as _Base
else:
    _Base = object

_SHOWN_VERSIONS = 100


class ImportForm(forms.Form):
    """An exported template."""

    file = forms.FileField(label="File", widget=forms.FileInput(attrs={"accept": ".json"}))

    def clean_file(self) -> str:
        """Return the text of the file."""
        file = self.cleaned_data["file"]
        if file.size > MOST_FILE_BYTES:
            raise ValidationError("The file is larger than an exported template can be.")
        try:
            return str(file.read().decode())
        except UnicodeDecodeError:
            raise ValidationError("The file is no UTF-8 text.") from None


class TemplatePages(_Base):
    """Gives the admin of templates its pages beside the form."""

    def get_urls(self) -> list[URLPattern]:
        """Add the addresses."""
        pages = [
            path("import/", self.admin_site.admin_view(self.import_view), name=_name("import")),
            *(
                path(
                    f"<path:object_id>/{page}/",
                    self.admin_site.admin_view(view),
                    name=_name(page.replace("-", "_")),
                )
                for page, view in (
                    ("versions", self.versions_view),
                    ("go-back", self.go_back_view),
                    ("duplicate", self.duplicate_view),
                    ("export", self.export_view),
                )
            ),
        ]
        return [*pages, *super().get_urls()]

    def versions_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Show who uses the template, its versions, and what changed between two of them."""
        template = self._template(request, object_id)
        versions = list(template.versions.select_related("created_by")[:_SHOWN_VERSIONS])
        by_number = {str(version.number): version for version in versions}
        new = by_number.get(request.GET.get("new", ""), versions[0] if versions else None)
        before = versions[1] if len(versions) > 1 else new
        old = by_number.get(request.GET.get("old", ""), before)
        context = page_context(
            self,
            request,
            original=template,
            title=str(template),
            use=use_of(template),
            versions=versions,
            old=old,
            new=new,
            lines=list(differences(old, new)) if old and new and old != new else [],
            may_work=self.has_change_permission(request, template),
        )
        return TemplateResponse(request, "admin/webhooks/template/versions.html", context)

    def go_back_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Make the version that was posted the current one again."""
        template: Template = self.row_to_act_on(request, object_id, Role.MEMBER)
        number = request.POST.get("number", "")
        if request.method != "POST" or not (number.isascii() and number.isdigit()):
            return redirect(_address("versions", template))
        version = template.versions.filter(number=int(number[:9])).first()
        if version is None:
            raise Http404("There is no such version.")
        try:
            made = go_back(version=version, by=person_of(request))
        except ValidationError as error:
            messages.error(request, " ".join(error.messages))
            return redirect(_address("versions", template))
        self.log_change(request, template, f"Went back to version {version.number}.")
        messages.success(request, f"Version {made.number} is as version {version.number} was.")
        return redirect(_address("versions", template))

    def duplicate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Copy the template into the account that is being worked on, after asking."""
        template = self._template(request, object_id)
        account = self._account(request, template)

        def copy() -> HttpResponse:
            made = duplicate(template=template, account=account, by=person_of(request))
            self.log_addition(request, made, f"Duplicated from “{template}”.")
            messages.success(request, f"“{made}” is a copy of “{template}”.")
            return redirect(reverse("admin:webhooks_template_change", args=[made.pk]))

        return confirmed(
            request,
            title=f"Duplicate “{template}”?",
            question=f"{account} gets a template of its own with the same sample and fields.",
            button="Duplicate",
            back=reverse("admin:webhooks_template_change", args=[template.pk]),
            act=copy,
            context=page_context(self, request, original=template),
        )

    def export_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Send the template as a file."""
        template = self._template(request, object_id)
        name = f"{slugify(template.name) or 'template'}.json"
        return HttpResponse(
            as_file(template),
            content_type="application/json",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Make a template of an exported file."""
        possible = form_accounts(request, None, Role.MEMBER)
        if len(possible) != 1:
            if not possible:
                raise PermissionDenied
            messages.warning(request, "Choose the account to import into first, at the top.")
            return redirect("admin:webhooks_template_changelist")
        form = ImportForm(request.POST or None, request.FILES or None)
        if request.method == "POST" and form.is_valid():
            account = Account.objects.get(pk=possible[0])
            try:
                made = from_file(
                    text=form.cleaned_data["file"], account=account, by=person_of(request)
                )
            except ValidationError as error:
                form.add_error("file", error.messages)
            else:
                self.log_addition(request, made, "Imported from a file.")
                messages.success(request, f"“{made}” is imported.")
                return redirect(reverse("admin:webhooks_template_change", args=[made.pk]))
        context = page_context(self, request, title="Import a template", form=form)
        return TemplateResponse(request, "admin/webhooks/template/import.html", context)

    def _template(self, request: HttpRequest, object_id: str) -> Template:
        template: Template | None = self.get_object(request, object_id)
        if template is None:
            raise Http404
        if not self.has_view_permission(request, template):
            raise PermissionDenied
        return template

    def _account(self, request: HttpRequest, template: Template) -> Account:
        """The template's own account, or, of a shared one, the one that is being worked on."""
        access = access_of(request)
        possible = form_accounts(request, None, Role.MEMBER)
        if access.has_role(Role.MEMBER, template.account_id):
            return template.account
        if not possible:
            raise PermissionDenied
        return Account.objects.get(pk=possible[0])


def _name(page: str) -> str:
    return f"webhooks_template_{page}"


def _address(page: str, template: Template) -> str:
    return reverse(f"admin:{_name(page)}", args=[template.pk])
