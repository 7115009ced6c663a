# SPDX-License-Identifier: ISC
"""Recipients whose thresholds differ: each gets its own honest answer, with PRDR at
once, without it after a split; attempts are counted."""
import os

import pytest

from clients import Exim, Postfix

STRICT = ["strict1@example.test", "strict2@example.test"]
LAX = ["lax1@example.test", "lax2@example.test"]
# No Date, two Subjects: a few points, which the strict do not suffer.
TEXT = ("From: S <s@sender.example>\r\nTo: list:;\r\nSubject: offer\r\nSubject: again\r\n"
        "Message-ID: <1@sender.example>\r\n\r\nBuy.\r\n")

root = pytest.mark.skipif(os.geteuid() != 0, reason="real senders switch users: only as root")


@pytest.fixture
def g(gatepost):
    made = gatepost(start=False)
    made.people(*STRICT, *LAX)
    for address in STRICT:
        made.verb("policy", "set", address, "threshold=0.1")
    for address in LAX:
        made.verb("policy", "set", address, "threshold=900")
    return made.start()


def outcome(g):
    return {a: len(g.mail(a)) for a in STRICT + LAX}


WANTED = {**{a: 0 for a in STRICT}, **{a: 1 for a in LAX}}


def ledger_answers(g, to):
    return [r["answer"] for row in g.rows("ledger", "--to", to) for r in row["recipients"]
            if r["address"] == to]


def test_prdr_gives_each_recipient_its_answer_in_one_attempt(g):
    everybody = [STRICT[0], LAX[0], STRICT[1], LAX[1]]
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO client.example", r"250-(.|\n)*PRDR")
        s.say("MAIL FROM:<s@sender.example> PRDR", "250")
        for a in everybody:
            s.say(f"RCPT TO:<{a}>", "250")
        s.say("DATA", "354")
        s.send(TEXT + ".\r\n")
        s.expect("353")
        replies = [s.reply() for _ in everybody]
        assert [r[:3] for r in replies] == ["550", "250", "550", "250"], replies
        assert replies[0].split("/r/")[1][:26] != replies[2].split("/r/")[1][:26]
        s.expect("250")
        s.say("NOOP", "250")
    g.wait_mail(LAX[0], 1)
    g.wait_mail(LAX[1], 1)
    assert outcome(g) == WANTED
    g.audit()


def test_prdr_that_agrees_is_one_reply(g):
    with g.raw() as s:
        s.expect("220")
        s.say("EHLO client.example", "250")
        s.say("MAIL FROM:<s@sender.example> PRDR", "250")
        for a in LAX:
            s.say(f"RCPT TO:<{a}>", "250")
        s.say("DATA", "354")
        s.send(TEXT + ".\r\n")
        s.expect("250")
        s.say("NOOP", "250")


@root
def test_exim_learns_each_answer_at_once_by_prdr(g):
    sender = Exim(g.port)
    try:
        sender.send("s@sender.example", STRICT + LAX, TEXT.replace("\r\n", "\n"))
        assert "PRDR" in sender.log(), sender.log()
        assert sender.waiting() <= 1, sender.log()	# a failure notice has nowhere to go
        for a in LAX:
            g.wait_mail(a, 1)
        assert outcome(g) == WANTED
        assert [ledger_answers(g, a) for a in STRICT] == [["refused"]] * 2
    finally:
        sender.remove()
    g.audit()


@root
def test_postfix_delivers_what_it_may_and_hears_why_not(g):
    sender = Postfix(g.port)
    try:
        # the null sender: a refused report would otherwise wait in its queue
        sender.send("", STRICT + LAX, TEXT.replace("\r\n", "\n"))
        more = sender.until_empty(4)
        print(f"Postfix: {1 + more} attempts")
        assert 1 + more <= 3
        for a in LAX:
            g.wait_mail(a, 1)
        assert outcome(g) == WANTED
        assert sender.log().count("https://") >= len(STRICT)
    finally:
        sender.remove()
    g.audit()


class Plain:
    """A client without PRDR that keeps a queue as RFC 5321 4.5.4 asks: what got 4yz
    is tried again, what got 2yz or 5yz is done with."""

    def __init__(self, g, recipients):
        self.g, self.left, self.done, self.attempts = g, list(recipients), {}, 0

    def attempt(self, text):
        self.attempts += 1
        with self.g.smtp() as s:
            s.mail("s@sender.example")
            taken = []
            for a in list(self.left):
                code = s.rcpt(a)[0]
                if code == 250:
                    taken.append(a)
                elif code >= 500:
                    self.finish(a, code)
            if not taken:
                return
            code, _ = s.data(text)
            if code == 250 or code >= 500:
                for a in taken:
                    self.finish(a, code)

    def finish(self, address, code):
        self.done[address] = code
        self.left.remove(address)


@pytest.mark.parametrize("people", [STRICT + LAX, LAX + STRICT, [STRICT[0], LAX[0]]])
def test_a_plain_client_needs_three_attempts(g, people):
    client = Plain(g, people)
    while client.left and client.attempts < 10:
        client.attempt(TEXT)
    print(f"plain client: {client.attempts} attempts")
    assert not client.left
    assert client.attempts <= 3
    assert client.done == {a: 550 if a in STRICT else 250 for a in people}
    for a in people:
        g.wait_mail(a, 0 if a in STRICT else 1)
    g.audit()


def test_a_client_that_never_splits_is_served_in_the_end(g):
    """One that gives up on a recipient refused at RCPT with 452, and begins anew with
    all of them: after four splits the most lenient verdict decides."""
    codes = []
    for _ in range(12):
        with g.smtp() as s:
            s.mail("s@sender.example")
            answers = [s.rcpt(a)[0] for a in STRICT + LAX]
            if 452 in answers:
                codes.append(452)
                continue
            codes.append(s.data(TEXT)[0])
            if codes[-1] == 250:
                break
    assert codes[-1] == 250, codes
    g.audit()


def test_observe_mode_refuses_nobody_for_the_score(g):
    g.verb("policy", "set", STRICT[0], "filter=observe")
    assert g.send(STRICT[0], TEXT)[0] == 250
    assert g.send(STRICT[1], TEXT)[0] == 550
    g.wait_mail(STRICT[0], 1)
