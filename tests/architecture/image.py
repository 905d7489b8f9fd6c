"""The image and the containers without a container engine: Dockerfile and compose.yaml, acted out.

`build` copies what the Dockerfile copies into a folder of its own and runs what it runs there.
Commands then run in that folder with the environment of the image and of compose.yaml, and with no
package in reach that is not in requirements/production.txt.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import yaml

BASE_DIR = Path(__file__).resolve().parents[2]
DOCKERFILE = BASE_DIR / "Dockerfile"
PRODUCTION = BASE_DIR / "requirements/production.txt"

# What only prepares the stages, and what stands in for it here: this environment.
_NOT_ACTED_OUT = ("python -m venv ", "pip install ", "useradd ")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")
_BLOCK = """
import sys
class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name in {modules!r}:
            raise ModuleNotFoundError(f"{{name}} is not in requirements/production.txt", name=name)
sys.meta_path.insert(0, Blocker())
"""


@dataclass
class Image:
    """What the last stage of the Dockerfile comes to, with its files in `app`."""

    app: Path
    blockade: Path
    env: dict[str, str] = field(default_factory=dict)
    user: str = "root"
    command: list[str] = field(default_factory=list)
    healthcheck: list[str] = field(default_factory=list)

    def listing(self) -> dict[Path, int]:
        """Return every file with the moment it was written."""
        return {path: path.stat().st_mtime_ns for path in self.app.rglob("*") if path.is_file()}

    def environment(self, given: dict[str, str]) -> dict[str, str]:
        """Return the whole environment of a process: the image's and what is given, no more."""
        return {
            **self.env,
            "PATH": f"{Path(sys.executable).parent}:{os.defpath}",
            "PYTHONPATH": str(self.blockade),
            **given,
        }


def instructions(stage: int) -> list[tuple[str, str]]:
    """Return the instructions of one stage of the Dockerfile, as (name, rest of the line)."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text())
    lines = [line.split(maxsplit=1) for line in text.splitlines() if line and line[0] != "#"]
    stages: list[list[tuple[str, str]]] = []
    for name, rest in lines:
        if name == "FROM":
            stages.append([])
        stages[-1].append((name, rest))
    return stages[stage]


def build(folder: Path) -> Image:
    """Act the Dockerfile out in `folder`."""
    image = Image(app=folder / "app", blockade=folder / "blockade")
    image.app.mkdir()
    image.blockade.mkdir()
    modules = _modules_out_of_reach()
    (image.blockade / "sitecustomize.py").write_text(_BLOCK.format(modules=modules))
    for name, rest in instructions(0):
        if name == "COPY":
            _copy(image, *rest.split())
        elif name == "RUN" and not rest.startswith(_NOT_ACTED_OUT):
            subprocess.run(
                ["/bin/sh", "-euc", rest], cwd=image.app, env=image.environment({}), check=True
            )
    for name, rest in instructions(-1):
        match name:
            case "ENV":
                image.env |= dict(word.split("=", 1) for word in shlex.split(rest))
            case "USER":
                image.user = rest
            case "CMD":
                image.command = json.loads(rest)
            case "HEALTHCHECK":
                image.healthcheck = json.loads(rest.partition("CMD ")[2])
    return image


def production_packages() -> dict[str, str]:
    """Return the pinned packages of the image, with their versions."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^\s;]+)", PRODUCTION.read_text(), re.MULTILINE))


def compose() -> dict[str, Any]:
    """Return compose.yaml with the values of .env.example filled in."""
    values = filled_in_env()

    def replace(match: re.Match[str]) -> str:
        if value := values.get(match["name"]):
            return value
        assert match["kind"] == "-", f"{match['name']} has no value in .env.example"
        return match["rest"]

    text = _VARIABLE.sub(replace, (BASE_DIR / "compose.yaml").read_text())
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def compose_variables() -> set[str]:
    """Return the names that compose.yaml takes from .env."""
    text = (BASE_DIR / "compose.yaml").read_text()
    return {match["name"] for match in _VARIABLE.finditer(text)}


def filled_in_env() -> dict[str, str]:
    """Return .env.example as somebody fills it in: empty values by the command above them."""
    values: dict[str, str] = {}
    command = ""
    for line in (BASE_DIR / ".env.example").read_text().splitlines():
        if line.startswith("#   python3 "):
            command = line.removeprefix("#   python3 ")
        elif line and not line.startswith("#"):
            name, _, value = line.partition("=")
            values[name] = value or _output([sys.executable, *shlex.split(command)])
    return values


def _output(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _copy(image: Image, source: str, target: str) -> None:
    """Copy what .dockerignore lets through; it names what comes in, and nothing else does."""
    if not target.startswith("/"):
        kept = (BASE_DIR / ".dockerignore").read_text().splitlines()
        assert f"!{source}" in kept, f"{source} is kept out by .dockerignore"
        if (BASE_DIR / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(BASE_DIR / source, image.app / target, ignore=ignored)
        else:
            shutil.copy2(BASE_DIR / source, image.app / target)


def _modules_out_of_reach() -> set[str]:
    """Return the modules of this environment that the image will not have."""
    allowed = {_normal(name) for name in production_packages()}
    return {
        module
        for module, packages in packages_distributions().items()
        if not any(_normal(package) in allowed for package in packages)
    }


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
