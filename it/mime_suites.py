# SPDX-License-Identifier: ISC
"""Public messages (GATEPOST_SUITES, or ../shared/suites beside the checkout)."""
import os
import pathlib

from clamd import TOP


def folder():
    """The folder mime of the suites; None where there is none."""
    found = pathlib.Path(os.environ.get("GATEPOST_SUITES", TOP.parent / "shared" / "suites")) / "mime"
    return found if found.is_dir() else None


def crlf(message):
    """As it would come over SMTP."""
    return message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def messages():
    """[(name, bytes as they stand)], sorted."""
    top = folder()
    return [] if top is None else [(str(p.relative_to(top)), p.read_bytes()) for p in sorted(top.rglob("*.eml"))]
