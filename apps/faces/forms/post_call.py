"""The form of a post-call action."""

from typing import Any, ClassVar
from urllib.parse import parse_qs, urlencode, urlsplit

from django import forms
from django.core.exceptions import ValidationError

from apps.accounts.models import Account
from apps.common.admin.theme import Select, Switch, TextInput
from apps.faces.forms.face import CALLS_OF, SUBMIT_TYPES, FaceForm
from apps.faces.models import PostCallAction
from apps.faces.post_call import (
    InvalidParameters,
    Parameters,
    read,
    static_as_text,
    static_from,
    template_of,
)
from apps.faces.services import Payload, built_in
from apps.faces.widgets import ParameterRows, ParametersField
from apps.webhooks.formats import Format
from apps.webhooks.gallery import GALLERY
from apps.webhooks.gallery.parameters import POST_CALL
from apps.webhooks.mapping import from_plain
from apps.webhooks.models import Webhook

FORMATS = {"GET": Format.QUERY, "POST": Format.FORM}
CALL_DETAILS, ANALYTICS = "call_details", "analytics"
OPTIONS = [(CALL_DETAILS, "Call-Detail Information"), (ANALYTICS, "Google Analytics®")]
_ANALYTICS = GALLERY["google_analytics_event"]
_ANALYTICS_URL = _ANALYTICS.url.partition("?")[0]


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


def offered_to(account: Account | None) -> list[str]:
    """Return the keys of the dynamic parameters that an account may add."""
    has_lookup = account is not None and account.has_reverse_lookup
    return [key for key, each in POST_CALL.items() if has_lookup or not each.needs_lookup]
