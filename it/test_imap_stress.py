# SPDX-License-Identifier: ISC
"""Sixteen sessions in three mailboxes of one account, for a quarter of a minute: nobody is
told what is not so, and everybody is told all."""
import os

from gatepost import SLOW
from imap_stress import ADDRESS, PASSWORD, stress

SEED = int(os.environ.get("GATEPOST_STRESS_SEED", 4))
SECONDS = int(os.environ.get("GATEPOST_STRESS_SECONDS", 12))


def test_many_sessions_in_the_same_mailboxes_all_see_the_same(gatepost):
    g = gatepost(server="plain_loopback = yes")
    g.people()
    g.verb("account", "add", ADDRESS, "--password-stdin", stdin=PASSWORD + "\n")
    done, messages, _ = stress(g, SEED, SECONDS, clients=16)
    assert done > 1000 // SLOW and messages > 300 // SLOW, f"only {done} commands, {messages} messages"
    g.audit()
