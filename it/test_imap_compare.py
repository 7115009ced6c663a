# SPDX-License-Identifier: ISC
"""Whether IMAP clients hear from Gatepost what they hear from Dovecot.

Both get the same mailboxes and commands (it/imap_generate.py); which differences are
meant, and why, is in doc/imap-differences.md.  GATEPOST_IMAP_COMMANDS says how many
commands, GATEPOST_IMAP_SEED which (`make imap-diff COMMANDS=… SEED=…`).
"""
import os
import re

import pytest
from clamd import TOP
from gatepost import SLOW, Gatepost

import imap_compare
import mime_suites
from imap_explained import ASKED, EXPLAINED, FOUND
from imap_talk import DOVECOT, Dovecot

COMMANDS = int(os.environ.get("GATEPOST_IMAP_COMMANDS") or 2000)
SEED = os.environ.get("GATEPOST_IMAP_SEED") or "1"
WHOLE = COMMANDS >= 8000
PAGE = TOP / "doc" / "imap-differences.md"
A, PASSWORD = "alice@example.test", "a pass phrase"

pytestmark = pytest.mark.skipif(not DOVECOT.exists(),
                                reason="dovecot-imapd is missing; tools/packages.sh test installs it")


@pytest.fixture(scope="module")
def compared():
    """The Pair, when all was said."""
    g = Gatepost(server="plain_loopback = yes")
    d = Dovecot()
    try:
        g.verb("domain", "add", "example.test")
        g.verb("account", "add", A, "--password-stdin", stdin=PASSWORD + "\n")
        g.start()
        pair = imap_compare.Pair(g, A, PASSWORD, d)
        public = [mime_suites.crlf(m) for _, m in mime_suites.messages() if b"\0" not in m and len(m) < 200000]
        print(imap_compare.compare(pair, SEED, COMMANDS, public if WHOLE else []))
        pair.close()
        yield pair
        g.audit()
    finally:
        print(g.log()[-3000:] + "\n" + d.log()[-3000:])
        g.remove()
        d.remove()


def test_answers_are_those_of_dovecot(compared):
    bad = [d for d in compared.found if not d.why]
    assert not bad, f"{len(bad)} differences:\n" + "\n".join(imap_compare.show(d) for d in bad[:20])
    assert compared.total() >= min(COMMANDS, 1500)


def test_the_page_explains_no_more_than_there_is(compared):
    known = {name for name, _ in EXPLAINED + FOUND} | set(ASKED)
    assert set(re.findall(r"^### (.+)$", PAGE.read_text(), re.M)) == known
    unused = known - set(compared.used)
    print(f"not needed this time: {sorted(unused)}")
    if WHOLE and SLOW == 1:
        assert not unused
