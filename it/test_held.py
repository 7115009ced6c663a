# SPDX-License-Identifier: ISC
"""What is refused for what it is: its original is kept, encrypted, or the answer says
that it is not."""
import os
import re
import subprocess

from cryptography.exceptions import InvalidTag
import pytest

from clamd import GTUBE, wait_for
from gatepost import message
from held import Original, key_of, names, originals
from test_processes import refused

A, B = "alice@example.test", "bob@example.test"
NOT_KEPT = "(its original could not be kept)"


def spam(secret, body=""):
    return message(A, subject=secret, body=f"{GTUBE}\r\n{secret} {body}\r\n")


def refuse(g, text):
    code, reply = g.send(A, text)
    assert code == 550 and re.match(r"5\.7\.1 https://\S+/r/[0-9a-z]{26} ", reply), reply
    return reply


def started(gatepost, **want):
    g = gatepost(start=False, **want)
    g.people(A, B)
    return g.start()


def test_it_can_be_opened_with_the_key_by_anybodys_program(gatepost):
    g = started(gatepost)
    text = spam("zebra-7421", "x" * 200000)
    assert NOT_KEPT not in refuse(g, text)
    (name, original), = originals(g).items()
    assert original.message == re.sub(r"(?<!\r)\n", "\r\n", text).encode()
    assert original.is_as_received()
    assert original.text.startswith(b"Return-Path: <someone@sender.example>\r\n")
    assert b"zebra-7421" in original.facts
    assert f"held={name}" in g.wait_log("smtp message .* code=550")
    with pytest.raises(InvalidTag):
        Original(g.data / "held" / name, os.urandom(32))


def test_nothing_of_a_refused_message_is_readable_anywhere(gatepost):
    g = started(gatepost)
    refuse(g, spam("zebra-7421"))
    g.settle()
    g.stop()
    for folder, _, files in os.walk(g.dir):
        for name in files:
            with open(os.path.join(folder, name), "rb") as f:
                assert b"zebra-7421" not in f.read(), name
    assert "zebra-7421" not in g.log()


def test_a_campaign_is_held_once_also_after_a_restart(gatepost):
    g = started(gatepost)
    text = spam("the same")
    for _ in range(5):
        refuse(g, text)
    g.stop()
    g.start()
    assert wait_for(lambda: g.json("status")["held"] == 1)	# it has looked into the folder
    refuse(g, text)
    refuse(g, spam("another"))
    assert len(names(g)) == 2


def test_caps_are_told_to_the_sender_and_changed_by_a_reload(gatepost):
    g = started(gatepost, settings="[held]\nnetwork = 8K\n")
    assert NOT_KEPT not in refuse(g, spam("one"))
    assert NOT_KEPT not in refuse(g, spam("two"))
    reply = refuse(g, spam("three"))
    assert reply.endswith(NOT_KEPT + f" ({reply[-21:-1]})"), reply
    assert "held=no (those of 127.0.0.0 " in g.wait_log("smtp message .* held=no")
    assert len(names(g)) == 2
    g.configure(settings="[held]\nnetwork = 1M\n")
    g.reload()
    g.wait_log("gate info reloaded")
    assert NOT_KEPT not in refuse(g, spam("four"))
    assert len(names(g)) == 3


def test_a_disk_that_takes_nothing_is_told_to_the_sender(gatepost):
    g = started(gatepost)
    (g.data / "held").chmod(0o500)
    assert NOT_KEPT in refuse(g, spam("one"))
    assert not names(g)
    assert "held=no (" in g.wait_log("smtp message .* code=550")
    assert g.send(A)[0] == 250	# and others are delivered
    (g.data / "held").chmod(0o2770)
    assert NOT_KEPT not in refuse(g, spam("one"))
    assert len(names(g)) == 1


# --- keys -----------------------------------------------------------------------


def keys(g):
    return g.dir / "keys" / "held.key", g.dir / "keys" / "held.pub"


def check(g):
    """The sentences of `check` about held originals, wrong ones only."""
    from gatepost import BINARY
    done = subprocess.run([str(BINARY), "-c", str(g.conf), "check"], capture_output=True, text=True)
    return [l for l in done.stdout.splitlines() if l.startswith("WRONG") and "held" in l]


def test_an_instance_without_keys_gets_them_at_a_start(gatepost):
    g = gatepost(start=False)
    g.people(A)
    private, public = keys(g)
    assert private.stat().st_mode & 0o777 == 0o600
    before = private.read_text()
    assert not check(g)
    private.unlink()
    public.unlink()
    assert "are missing" in check(g)[0]
    g.start()
    g.wait_log("keys/held.key was made")
    assert private.stat().st_mode & 0o777 == 0o600
    assert private.read_text() != before
    refuse(g, spam("one"))
    originals(g)
    public.unlink()
    assert "held.pub is missing" in check(g)[0]
    g.stop()
    g.start()	# made from the private one
    assert not check(g)
    refuse(g, spam("two"))
    assert len(originals(g)) == 2


def test_the_private_key_may_be_kept_elsewhere(gatepost):
    g = gatepost(start=False)
    g.people(A)
    key = key_of(g)
    keys(g)[0].unlink()
    assert "none can be released" in check(g)[0]
    g.start()
    g.wait_log("keys/held.key is missing")
    assert NOT_KEPT not in refuse(g, spam("one"))
    assert not keys(g)[0].exists()
    assert Original(g.data / "held" / names(g)[0], key).is_as_received()


def test_keys_that_do_not_belong_together_are_found_before_mail_is_sealed_with_them(gatepost):
    g, other = gatepost(start=False), gatepost(start=False)
    keys(g)[1].write_text(keys(other)[1].read_text())
    assert "does not belong" in check(g)[0]
    refused(g, r"keys/held\.pub does not belong to keys/held\.key")
    keys(g)[1].write_text("this is no key\n")
    refused(g, r"keys/held\.pub is not 64 hexadecimal digits")
