"""Forms with files: nobody fills the disk with them."""

from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

pytestmark = pytest.mark.django_db


class TestAForm:
    def sent(self, size: int) -> int:
        """Post a file as a stranger; return the status."""
        client = Client(raise_request_exception=False)
        file = SimpleUploadedFile("big.bin", bytes(size))
        return int(client.post(reverse("admin:login"), {"username": "a", "file": file}).status_code)

    def test_that_is_larger_than_any_page_takes_is_not_read(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        settings.UPLOAD_MAX_BYTES = 4_000_000
        settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
        assert self.sent(3_900_000) == 200
        assert self.sent(4_000_000) == 400
        assert not list(tmp_path.iterdir())
