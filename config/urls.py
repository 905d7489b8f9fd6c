"""Every address Hookline answers."""

from django.apps import apps
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django_rq.urls import get_admin_urlpatterns, get_api_urlpatterns

from apps.accounts import passwords
from apps.accounts.views import account_settings, profile, switch_account
from apps.campaigns.apply_pages import apply_choices
from apps.common.admin import operators_only
from apps.common.views import api_not_found
from apps.console.figures import figures
from apps.delivery.views import webhook_test, wizard_backtest, wizard_test
from apps.ivr.admin.trial import ivr_test
from apps.webhooks.views import tokens

# Every room's pages; none for Django's groups, as roles replace them.
admin.autodiscover()
admin.site.unregister(apps.get_model("auth", "Group"))

# RQ's pages let everybody in who may log in; ours are for operators.
queues = get_api_urlpatterns() + get_admin_urlpatterns()
for page in queues:
    page.callback = operators_only(page.callback)

urlpatterns = [
    path("api/v1/", include("config.api")),
    re_path(r"^api/", csrf_exempt(api_not_found)),
    path("figures/", admin.site.admin_view(figures), name="figures"),
    path("account/switch/", switch_account, name="switch_account"),
    path("account/settings/", account_settings, name="account_settings"),
    path("profile/", profile, name="profile"),
    path("tokens/", tokens, name="tokens"),
    path(
        "accounts/location/apply/<str:name>/",
        admin.site.admin_view(apply_choices),
        name="apply_choices",
    ),
    path(
        "webhooks/webhook/<uuid:webhook_id>/test/send/",
        admin.site.admin_view(webhook_test),
        name="webhook_test",
    ),
    path("ivr/ivr/<uuid:ivr_id>/webhook/test/", admin.site.admin_view(ivr_test), name="ivr_test"),
    path(
        "webhooks/webhook/wizard/<uuid:draft_id>/test/",
        admin.site.admin_view(wizard_test),
        name="wizard_test",
    ),
    path(
        "webhooks/webhook/wizard/<uuid:draft_id>/backtest/",
        admin.site.admin_view(wizard_backtest),
        name="wizard_backtest",
    ),
    path("webhooks/webhook/wizard/", include("apps.webhooks.wizard.urls")),
    path("password/", passwords.PasswordReset.as_view(), name="password_reset"),
    path("password/sent/", passwords.PasswordResetDone.as_view(), name="password_reset_done"),
    path(
        "password/<uidb64>/<token>/",
        passwords.PasswordResetConfirm.as_view(),
        name="password_reset_confirm",
    ),
    path(
        "password/done/", passwords.PasswordResetComplete.as_view(), name="password_reset_complete"
    ),
    path("operators/queues/", include((queues, "django_rq"))),
    path("", admin.site.urls),
]
