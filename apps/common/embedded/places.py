"""Where embedded services live: an account for PostgreSQL, folders it reaches, short sockets."""

import contextlib
import os
import pwd
import shutil
import socket
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

# Where root keeps what the account below can not reach at its own place, as in a clone under /root.
_ROOT_HOME = Path("/var/lib/hookline")
_UNPRIVILEGED = "nobody"
# A socket's path fits 107 bytes; PostgreSQL adds "/.s.PGSQL.5432.lock" to the folder.
_LONGEST_SOCKET_FOLDER = 85


@dataclass(frozen=True)
class OsAccount:
    """An account of the machine that a service runs as."""

    uid: int
    gid: int


def server_account(existing: Path) -> OsAccount | None:
    """Return whom to run PostgreSQL as, which refuses root; None means as ourselves.

    Root keeps to the owner of data that `existing` holds already.
    """
    if os.geteuid() != 0:
        return None
    if existing.is_dir() and (found := existing.stat()).st_uid != 0:
        return OsAccount(found.st_uid, found.st_gid)
    entry = pwd.getpwnam(_UNPRIVILEGED)
    return OsAccount(entry.pw_uid, entry.pw_gid)


def make_folder(path: Path, owner: OsAccount | None = None) -> Path:
    """Create a private folder, which root leaves passable for the account of the service."""
    path.mkdir(parents=True, exist_ok=True)
    if owner is not None:
        os.chown(path, owner.uid, owner.gid)
    if path.stat().st_uid == os.geteuid() or owner is not None:
        path.chmod(0o711 if os.geteuid() == 0 else 0o700)
    return path


def reachable(path: Path, account: OsAccount | None) -> bool:
    """Say whether the account can pass through every folder down to `path`, by their modes."""
    if account is None:
        return True
    return all(_may_enter(folder.stat(), account) for folder in path.resolve().parents)


def home_for(wished: Path, account: OsAccount | None) -> Path:
    """Return the folder to use for `wished`: itself, or what stands in for it.

    When the account can not get there, `wished` becomes a link to a folder under /var/lib/hookline.
    """
    if not wished.is_symlink() and reachable(wished, account):
        return make_folder(wished)
    if not wished.is_dir():
        make_folder(_ROOT_HOME)
        stand_in = Path(tempfile.mkdtemp(prefix=f"{wished.name}-", dir=_ROOT_HOME))
        wished.unlink(missing_ok=True)
        wished.symlink_to(stand_in)
    return make_folder(wished.resolve())


def programs_for(package: Path, version: str, account: OsAccount | None) -> Path:
    """Return `package`, or a copy of it that the account reaches, made once a version.

    The libraries in the folder next to the package, named `<package>.libs`, come along.
    """
    if reachable(package / "any", account):
        return package
    kept = _ROOT_HOME / f"{package.name}-{version}"
    if not kept.is_dir():
        make_folder(_ROOT_HOME)
        copy = Path(tempfile.mkdtemp(prefix="copy-", dir=_ROOT_HOME))
        libraries = package.with_name(f"{package.name}.libs")
        for source in (package, libraries):
            if source.is_dir():
                shutil.copytree(source, copy / source.name, ignore=_NOT_NEEDED, symlinks=True)
        copy.chmod(0o755)
        try:
            copy.rename(kept)
        except OSError:
            # Another start was faster.
            shutil.rmtree(copy)
    return kept / package.name


# The wheel's PostgreSQL 16 and its headers.
_NOT_NEEDED = shutil.ignore_patterns("pginstall", "include", "__pycache__", "*.a")


def socket_folder(wished: Path, owner: OsAccount | None) -> Path:
    """Return a folder in which a Unix socket can be made: `wished`, or a short one it links to."""
    if not wished.is_symlink():
        make_folder(wished, owner)
        if len(bytes(wished.resolve())) <= _LONGEST_SOCKET_FOLDER and _takes_sockets(wished):
            return wished.resolve()
        shutil.rmtree(wished)
    elif _is_private(wished.resolve(), owner):
        return wished.resolve()
    else:
        wished.unlink()
    short = Path(tempfile.mkdtemp(prefix="hookline-", dir="/tmp"))
    make_folder(short, owner)
    wished.symlink_to(short)
    return short


def remove_socket_folder(wished: Path) -> None:
    """Remove what `socket_folder` made."""
    shutil.rmtree(wished.resolve(), ignore_errors=True)
    if wished.is_symlink():
        wished.unlink()


def _may_enter(found: os.stat_result, account: OsAccount) -> bool:
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def _takes_sockets(folder: Path) -> bool:
    """Some shared folders of virtual machines refuse Unix sockets."""
    probe = folder / ".probe"
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        try:
            listener.bind(str(probe))
        except OSError:
            return False
    probe.unlink()
    return True


def _is_private(folder: Path, owner: OsAccount | None) -> bool:
    """True for a folder that nobody but us or the service could have put there."""
    try:
        found = folder.lstat()
    except FileNotFoundError:
        return False
    expected = owner.uid if owner else os.geteuid()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == expected and not found.st_mode & 0o022
