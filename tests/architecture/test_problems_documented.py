"""Every code that a client may meet is in docs/api.md, and in the description of the API."""

import ast
from collections.abc import Iterator

import pytest

from tests.architecture.image import BASE_DIR
from tests.architecture.test_api_described import described

PAGE = (BASE_DIR / "docs/api.md").read_text()
# Of callbacks, whose senders read no description.
OF_PLATFORMS = {"wrong_signature", "callback_rejected"}


def codes() -> Iterator[tuple[int, str]]:
    """Yield status and code of each problem that the code raises."""
    for file in sorted((BASE_DIR / "apps").rglob("*.py")):
        source = file.read_text()
        for node in ast.walk(ast.parse(source)) if "Problem(" in source else ():
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            values = [each.value for each in node.args[:2] if isinstance(each, ast.Constant)]
            match values:
                case [int() as status, str() as code] if node.func.id == "Problem":
                    yield status, code


@pytest.mark.parametrize(("status", "code"), sorted(set(codes())))
def test_is_told(status: int, code: str) -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and f"`{code}`" in line]
    assert any(str(status) in row.split("|")[1] for row in rows)
    if code not in OF_PLATFORMS:
        responses = described()["components"]["responses"].values()
        (meant,) = [
            response["description"]
            for response in responses
            for content in response["content"].values()
            if content["example"]["status"] == status
        ]
        assert code in meant.partition("Codes: ")[2].rstrip(".").split(", ")
