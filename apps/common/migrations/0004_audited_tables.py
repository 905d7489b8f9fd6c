"""Write what people change to the audit log."""

from django.db import migrations

from apps.common.audit_triggers import Audited

_EMAIL = "SELECT email FROM accounts_user WHERE id = changed.user_id"
_WEBHOOK = "SELECT name FROM webhooks_webhook WHERE id = changed.webhook_id"
_TEMPLATE = "SELECT name FROM webhooks_template WHERE id = changed.template_id"


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0007_reverse_lookup"),
        ("campaigns", "0004_active_says_what_it_does"),
        ("common", "0003_audit_log"),
        ("delivery", "0011_replays"),
        ("webhooks", "0008_lent_templates"),
    ]
    operations = [
        # Nobody deletes an account; with it, its log would go too.
        Audited("accounts.Account", accounts="SELECT ARRAY[$1]", events="INSERT OR UPDATE"),
        # People are no account's own: what happens to one is told in each of theirs.
        Audited(
            "accounts.User",
            label="changed.email",
            masks=["password"],
            leaves_out=["last_login"],
            accounts="SELECT array_agg(account_id) FROM accounts_membership WHERE user_id = $1",
            events="UPDATE",
        ),
        Audited("accounts.Membership", label=_EMAIL),
        Audited("accounts.Group"),
        Audited("accounts.Location"),
        Audited("accounts.ApiKey", masks=["token_hash"], leaves_out=["last_used_at"]),
        Audited("webhooks.Template", leaves_out=["current_version_id"]),
        Audited(
            "webhooks.TemplateVersion",
            label=f"({_TEMPLATE}) || ' v' || changed.number",
            parent="template_id",
            leaves_out=["sample", "mapping"],
        ),
        Audited("webhooks.Webhook", masks=["secret"], leaves_out=["revision"]),
        Audited("webhooks.WebhookHeader", parent="webhook_id", masks=["value"]),
        Audited("campaigns.Campaign"),
        Audited("campaigns.Treatment"),
        Audited(
            "campaigns.TreatmentOption",
            label="changed.key || ' = ' || changed.label",
            parent="treatment_id",
        ),
        Audited("campaigns.TrackingNumber", label="changed.number"),
        Audited(
            "campaigns.Attachment",
            label=f"({_WEBHOOK}) || ', ' || changed.timing",
            parent="webhook_id",
        ),
        # How far it has come is told on its page.
        Audited(
            "delivery.Replay",
            label="'replay of ' || changed.total || ' deliveries'",
            leaves_out=["planned_count", "walked_at", "walked_key", "stepped_at", "finished_at"],
        ),
    ]
