"""Settings that can not work are told before work begins."""

import pytest
from django.core.checks import run_checks
from pytest_django import Settings


def faults() -> list[str]:
    return [str(fault.id) for fault in run_checks() if str(fault.id).startswith("common.")]


class TestTheSettings:
    def test_are_fine_as_they_come(self) -> None:
        assert faults() == []

    @pytest.mark.parametrize("key", ["", "short", "not base64 at all, whatever one thinks of it!"])
    def test_refuse_a_key_that_can_not_encrypt(self, settings: Settings, key: str) -> None:
        settings.CREDENTIAL_KEYS = [*settings.CREDENTIAL_KEYS, key]

        assert faults() == ["common.E001"]

    @pytest.mark.parametrize("network", ["10.0.0.0/99", "intranet", "10.0.0.1/8"])
    def test_refuse_a_network_that_can_not_be_read(self, settings: Settings, network: str) -> None:
        settings.EGRESS_ALLOW = [network]

        assert faults() == ["common.E002"]

    @pytest.mark.parametrize("proxy", ["proxy:3128", "https://proxy:3128", "http://proxy"])
    def test_refuse_a_proxy_that_can_not_be_used(self, settings: Settings, proxy: str) -> None:
        settings.EGRESS_PROXY = proxy

        assert faults() == ["common.E003"]
