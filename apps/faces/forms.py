"""Forms of the systems that Hookline replaces, in the words of their documents."""

import secrets
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account
from apps.calls.events import Timing
from apps.common.access import Access
from apps.common.admin import AccountScopedForm
from apps.common.admin.theme import CheckboxSelectMultiple, Select, Switch, TextInput
from apps.common.fields import is_kept
from apps.faces.models import CallComplete, CallNotification, PostCallAction
from apps.faces.post_call import (
    InvalidParameters,
    Parameters,
    read,
    static_as_text,
    static_from,
    template_of,
)
from apps.faces.services import Payload, active_moments, built_in
from apps.faces.widgets import ParameterRows, ParametersField
from apps.webhooks.changing import checked_url
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.gallery.parameters import POST_CALL
from apps.webhooks.headers import InvalidHeader, check_header
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import Webhook
from apps.webhooks.secrets import MAX_TEXT, InvalidSecret, new_signing_secret
from apps.webhooks.services import own_secret

SIGNATURE_HEADER, KEY_HEADER, SOURCE_HEADER = "ms-signature", "x-PublicKey", "x-Source-system"
NOTIFICATIONS = [
    (Timing.BEGIN.value, "Call Start, when a call comes in"),
    (Timing.END.value, "Call Preprocessed, right after its end"),
    (Timing.UPDATED.value, "Call Processed, when it is changed later"),
]
EVERYWHERE = "Every location"
CALLS_OF = "Whose calls are told of."
SUBMIT_TYPES = [("GET", "GET"), ("POST", "POST")]
FORMATS = {"GET": Format.QUERY, "POST": Format.FORM}
CALL_DETAILS, ANALYTICS = "call_details", "analytics"
OPTIONS = [(CALL_DETAILS, "Call-Detail Information"), (ANALYTICS, "Google Analytics®")]
_ANALYTICS = GALLERY["google_analytics_event"]
_ANALYTICS_URL = _ANALYTICS.url.partition("?")[0]


class FaceForm(AccountScopedForm):
    """What all have in common: whose it is, and the address that is made of the answers."""

    access: ClassVar[Access]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        location = self.fields.get("location")
        if isinstance(location, forms.ModelChoiceField):
            location.empty_label = EVERYWHERE

    @property
    def account(self) -> Account | None:
        """Return the account of the webhook: its own, or the one that is chosen."""
        if self.instance.account_id:
            own: Account = self.instance.account
            return own
        field = self.fields.get("account")
        if field is None:
            return None
        try:
            chosen = field.clean(self.data.get("account") or self.initial.get("account"))
        except ValidationError:
            return None
        return chosen if isinstance(chosen, Account) else None

    def clean_url(self) -> str:
        """Refuse an address that Hookline may not send to, where one is typed whole."""
        return checked_url(
            self.cleaned_data["url"],
            webhook=self.instance,
            before=self.initial.get("url", ""),
            access=self.access,
        )

    def take_url(self, url: str, *, field: str) -> None:
        """Take the address over, or say what is wrong with it at a field."""
        try:
            self.instance.url = checked_url(
                url, webhook=self.instance, before=self.instance.url, access=self.access
            )
        except ValidationError as error:
            self.add_error(field, error)


class PostCallActionForm(FaceForm):
    """A post-call action."""

    submit_type = forms.ChoiceField(label="Submit Type", choices=SUBMIT_TYPES, widget=Select)
    option = forms.ChoiceField(label="Post-Call Action Option", choices=OPTIONS, widget=Select)
    domain = forms.CharField(
        label="Domain",
        required=False,
        max_length=300,
        widget=TextInput(attrs={"placeholder": "https://www.example.com", "inputmode": "url"}),
        help_text="https:// and the name of your server.",
    )
    page = forms.CharField(
        label="Page",
        required=False,
        max_length=1000,
        widget=TextInput(attrs={"placeholder": "/files/ibp/post_call.php"}),
        help_text="The file on your server, with its folders.",
    )
    static_parameters = forms.CharField(
        label="Static Parameters",
        required=False,
        max_length=4000,
        widget=TextInput(attrs={"placeholder": "name1=value1&name2=value2", "spellcheck": "false"}),
        help_text="Sent as they are, with & between them.",
    )
    parameters = ParametersField(label="Dynamic Parameters", required=False)
    has_attribution = forms.BooleanField(
        label="Include attribution information",
        required=False,
        widget=Switch,
        help_text="Adds all 22 st_ parameters to calls of a dynamic number; one-to-one calls have"
        " none.",
    )
    measurement_id = forms.CharField(
        label="Measurement ID",
        required=False,
        max_length=40,
        widget=TextInput(attrs={"placeholder": "G-XXXXXXXXXX"}),
        help_text="Admin > Data streams > the web stream of the site.",
    )
    api_secret = forms.CharField(
        label="API secret",
        required=False,
        max_length=100,
        widget=TextInput(attrs={"autocomplete": "off"}),
        help_text="On the same page; it becomes a part of the URL.",
    )

    class Meta:
        model = PostCallAction
        fields = ["name", "is_active", "location"]
        labels: ClassVar[dict[str, str]] = {"name": "Name"}
        help_texts: ClassVar[dict[str, str]] = {"location": CALLS_OF}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_changed_elsewhere = False
        if not self.instance._state.adding and "option" in self.fields:
            self.initial = {**self._saved(), **self.initial}
        if "parameters" in self.fields:
            self.rows.offered = offered_to(self.account)

    @property
    def rows(self) -> ParameterRows:
        """Return the widget of the dynamic parameters."""
        widget = self.fields["parameters"].widget
        assert isinstance(widget, ParameterRows)  # noqa: S101 - tells the type checker
        return widget

    @property
    def payload(self) -> Payload:
        """Return what the answers send. Raises InvalidParameters."""
        name = f"Post-call action: {self.cleaned_data.get('name') or 'unnamed'}"
        if self.cleaned_data.get("option") == ANALYTICS:
            return built_in(_ANALYTICS.key, name=name)
        target = FORMATS[self.cleaned_data.get("submit_type") or "GET"]
        parameters = Parameters(
            static_from(self.cleaned_data.get("static_parameters") or ""),
            tuple(self.cleaned_data.get("parameters") or ()),
            bool(self.cleaned_data.get("has_attribution")),
        )
        sample, mapping = template_of(parameters, target)
        return Payload(name, target, sample, mapping)

    @property
    def url(self) -> str:
        """Return the address that the answers name; "" while there is none."""
        if self.cleaned_data.get("option") == ANALYTICS:
            query = {
                "measurement_id": self.cleaned_data.get("measurement_id") or "",
                "api_secret": self.cleaned_data.get("api_secret") or "",
            }
            return f"{_ANALYTICS_URL}?{urlencode(query)}" if all(query.values()) else ""
        domain = (self.cleaned_data.get("domain") or "").strip().rstrip("/")
        page = (self.cleaned_data.get("page") or "").strip().lstrip("/")
        url = f"{domain}/{page}" if domain else ""
        # A query that was typed elsewhere has no field here; it stays while its address does.
        return self.instance.url if url == self.instance.url.partition("?")[0] else url

    @property
    def fault(self) -> str:
        """Return what is wrong with what was typed, "" if nothing is; gaps are no fault yet."""
        for name, messages in self.errors.items():
            if name != "name" and self.data.get(name):
                return f"{self.fields[name].label}: {messages[0]}"
        return ""

    def clean_domain(self) -> str:
        """Refuse what is more than a domain."""
        domain = self.cleaned_data["domain"].strip().rstrip("/")
        if domain and (not domain.lower().startswith(("http://", "https://"))):
            raise ValidationError("A domain begins with https://, as https://www.example.com.")
        try:
            parts = urlsplit(domain)
        except ValueError:
            raise ValidationError("This is no domain; one is https://www.example.com.") from None
        if parts.path or parts.query or parts.fragment:
            raise ValidationError("The part behind the domain belongs into Page.")
        return str(domain)

    def clean_page(self) -> str:
        """Refuse parameters, which have fields of their own."""
        page = self.cleaned_data["page"].strip()
        if "?" in page or "#" in page:
            raise ValidationError("Write what is behind the ? into Static Parameters.")
        return str(page)

    def clean_static_parameters(self) -> str:
        """Refuse what is no list of names and values."""
        text = str(self.cleaned_data["static_parameters"])
        try:
            static_from(text)
        except InvalidParameters as error:
            raise ValidationError(str(error)) from None
        return text

    def clean(self) -> dict[str, Any]:
        """Check the address and the parameters together."""
        cleaned = super().clean() or {}
        is_analytics = cleaned.get("option") == ANALYTICS
        needed = ("measurement_id", "api_secret") if is_analytics else ("domain",)
        for name in needed:
            if not cleaned.get(name) and name not in self.errors:
                self.add_error(name, "This field is required.")
        allowed = offered_to(self.account)
        for chosen in cleaned.get("parameters") or ():
            if chosen.key not in allowed:
                label = POST_CALL[chosen.key].label
                self.add_error("parameters", f"“{label}” needs reverse look-up, which is off.")
        if not self.errors:
            self._take_what_is_sent(is_analytics)
        return cleaned

    def _take_what_is_sent(self, is_analytics: bool) -> None:
        try:
            payload = self.payload
        except InvalidParameters as error:
            self.add_error("parameters", str(error))
            return
        self.take_url(self.url, field="measurement_id" if is_analytics else "domain")
        self.sent = payload
        is_query = payload.format is Format.QUERY
        self.method = Webhook.Method.GET if is_query else Webhook.Method.POST

    def _saved(self) -> dict[str, Any]:
        """Return what the webhook and its template say, in the words of the form."""
        webhook, template = self.instance, self.instance.template
        parts = urlsplit(webhook.url)
        if template.format == Format.JSON:
            query = parse_qs(parts.query)
            return {
                "option": ANALYTICS,
                "submit_type": "POST",
                **{name: query.get(name, [""])[0] for name in ("measurement_id", "api_secret")},
            }
        version = template.current_version
        known = version and read(
            version.sample, from_plain(version.mapping), Format(template.format)
        )
        self.is_changed_elsewhere = known is None
        parameters = known or Parameters()
        return {
            "option": CALL_DETAILS,
            "submit_type": webhook.method,
            "domain": f"{parts.scheme}://{parts.netloc}",
            "page": parts.path,
            "static_parameters": static_as_text(parameters.static),
            "parameters": list(parameters.dynamic),
            "has_attribution": parameters.has_attribution,
        }


class CallCompleteForm(FaceForm):
    """A webhook that gets Call.Complete."""

    submit_type = forms.ChoiceField(label="Submit Type", choices=SUBMIT_TYPES[::-1], widget=Select)

    class Meta:
        model = CallComplete
        fields = ["name", "url", "is_active", "location"]
        labels: ClassVar[dict[str, str]] = {"name": "Name"}
        help_texts: ClassVar[dict[str, str]] = {
            "url": "Where Call.Complete is sent.",
            "location": CALLS_OF,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            self.initial.setdefault("submit_type", self.instance.method)

    def clean(self) -> dict[str, Any]:
        """Take over what is sent and how."""
        cleaned = super().clean() or {}
        self.method = Webhook.Method(cleaned.get("submit_type") or "POST")
        key = "call_complete_get" if self.method == Webhook.Method.GET else "call_complete"
        self.sent = built_in(key, name=f"Call.Complete: {cleaned.get('name', '')}")
        return cleaned


class CallNotificationForm(FaceForm):
    """Call notifications: where they go, which of them, and how they are signed."""

    events = forms.MultipleChoiceField(
        label="Notifications",
        choices=NOTIFICATIONS,
        initial=[timing for timing, _ in NOTIFICATIONS],
        widget=CheckboxSelectMultiple,
    )
    signing_key = forms.CharField(
        label="Signing key",
        required=False,
        max_length=MAX_TEXT,
        widget=TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
        help_text="The secret of ms-signature. Paste the one that the receiver has; empty: one is"
        " made.",
    )
    source_system = forms.CharField(
        label="Source system",
        max_length=200,
        initial="Hookline",
        widget=TextInput,
        help_text="Sent as x-Source-system.",
    )

    class Meta:
        model = CallNotification
        fields = ["name", "url", "is_active", "location", "key_id"]
        labels: ClassVar[dict[str, str]] = {
            "name": "Name",
            "url": "Callback URL",
            "key_id": "Public key",
        }
        help_texts: ClassVar[dict[str, str]] = {
            "url": "Where notifications are sent, by POST.",
            "key_id": "Sent as x-PublicKey. Empty: one is made.",
            "location": CALLS_OF,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        webhook = self.instance
        if webhook._state.adding or "events" not in self.fields:
            return
        placeholder = "•••••••• saved; type to replace"
        self.fields["signing_key"].widget.attrs["placeholder"] = placeholder
        sources = [each.value for each in webhook.headers.all() if each.name == SOURCE_HEADER]
        self.initial["source_system"] = sources[0] if sources else ""
        self.initial["events"] = active_moments(webhook)

    def clean_signing_key(self) -> str:
        """Refuse what can not be the key of a signature."""
        key = str(self.cleaned_data["signing_key"])
        try:
            return key and own_secret(Webhook.Signature.HEX_UPPER, key)
        except InvalidSecret as error:
            raise ValidationError(str(error)) from None

    def clean_source_system(self) -> str:
        """Refuse what is no value of a header."""
        value = str(self.cleaned_data["source_system"])
        try:
            check_header(SOURCE_HEADER, value)
        except InvalidHeader as error:
            raise ValidationError(str(error)) from None
        return value

    def clean(self) -> dict[str, Any]:
        """Make what is left empty."""
        cleaned = super().clean() or {}
        cleaned["key_id"] = cleaned.get("key_id") or secrets.token_hex(16).upper()
        webhook = self.instance
        if (key := cleaned.get("signing_key")) or not is_kept(webhook, "secret"):
            webhook.secret = key or new_signing_secret()
        webhook.signature = Webhook.Signature.HEX_UPPER
        webhook.signature_header, webhook.key_id_header = SIGNATURE_HEADER, KEY_HEADER
        return cleaned


def offered_to(account: Account | None) -> list[str]:
    """Return the keys of the dynamic parameters that an account may add."""
    has_lookup = account is not None and account.has_reverse_lookup
    return [key for key, each in POST_CALL.items() if has_lookup or not each.needs_lookup]
