# SPDX-License-Identifier: ISC
"""Fixtures: daemons, clamd, and *.dlg files as tests."""
import hashlib
import os
import pathlib
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from clamd import CLAMD, TOP, Clamd, FakeClamd  # noqa: E402
from dialogue import Dialogue, settings  # noqa: E402
from gatepost import BINARY, Gatepost  # noqa: E402


def pytest_sessionstart(session):
    if not BINARY.exists():
        pytest.exit(f"{BINARY} is not there: run make first", 2)
    if os.geteuid() == 0:       # then each process switches to a user of its own
        subprocess.run([TOP / "tools" / "users.sh"], check=True)


@pytest.fixture(scope="session")
def clamd():
    """A real clamd with the small database."""
    if not CLAMD:
        pytest.fail("clamd is missing; tools/packages.txt names its package")
    c = Clamd()
    try:
        yield c.start()
    finally:
        c.remove()


@pytest.fixture
def fake_clamd(tmp_path):
    f = FakeClamd(tmp_path)
    yield f
    f.close()


@pytest.fixture
def gatepost():
    """Makes instances: gatepost(clamd=..., settings=..., start=True).  All are
    ended and removed after the test, with their log shown when it failed."""
    made = []

    def make(start=True, **want):
        g = Gatepost(**want)
        made.append(g)
        return g.start() if start else g

    yield make
    for g in made:
        print(f"--- log of {g.folder}\n" + g.log()[-6000:])
        g.remove()


_shared = {}


def shared(**want):
    """An instance that tests share because they leave it as it was: a domain
    example.test with alice@, bob@ and the alias sales@."""
    key = hashlib.sha256(repr(sorted(want.items())).encode()).hexdigest()
    if key not in _shared:
        g = Gatepost(**want)
        _shared[key] = g
        g.people("alice@example.test", "bob@example.test")
        g.verb("alias", "add", "sales@example.test", "alice@example.test")
        g.start()
    return _shared[key]


@pytest.fixture(scope="session")
def house():
    """The shared instance with default settings and no clamd."""
    return shared()


@pytest.fixture(autouse=True)
def settled():
    """What the test before sent to a shared instance is in its mailboxes, so that
    those can be counted."""
    for g in _shared.values():
        if g.process:
            g.settle()


def pytest_sessionfinish(session):
    for g in _shared.values():
        g.remove()


# --- dialogues ---------------------------------------------------------------


def pytest_collect_file(parent, file_path):
    if file_path.suffix == ".dlg":
        return DialogueFile.from_parent(parent, path=file_path)
    return None


class DialogueFile(pytest.File):
    def collect(self):
        yield DialogueItem.from_parent(self, name=self.path.stem)


class DialogueItem(pytest.Item):
    def runtest(self):
        lines = self.path.read_text().splitlines()
        g = shared(settings=settings(lines))
        since = len(g.lines)
        try:
            Dialogue(g, lines).run()
        except AssertionError:
            self.add_report_section("call", "log", "\n".join(g.lines[since:]))
            raise

    def repr_failure(self, excinfo, style=None):
        return str(excinfo.value)

    def reportinfo(self):
        return self.path, 0, self.name
