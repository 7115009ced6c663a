# SPDX-License-Identifier: ISC
"""Mail for mailboxes: the same seed gives the same messages.  Median about 6 KB; half
plain text, a third text and HTML, the rest with an attachment; threads of one to
a dozen.  "harvest" stands in a tenth of all, "lantern" in a twentieth, RARE in one of 5,000."""
import base64
import itertools
import random
import time

RARE = "zanzibarine"
PEOPLE = 400
START = 1700000000


def words(r, n=20000):
    """A vocabulary, the frequent ones first."""
    syllables = ["".join(p) for p in itertools.product("bdfgklmnprst", "aeiou", ["", "n", "r", "s"])]
    made = {"".join(r.choice(syllables) for _ in range(1 + i * 4 // n + r.randrange(2)))
            for i in range(n * 2)}
    return sorted(sorted(made), key=len)[:n]


class Mail:
    """message(i) for i = 0, 1, …: (INTERNALDATE, bytes)"""

    def __init__(self, seed=1):
        self.r = random.Random(seed)
        self.words = words(self.r)
        self.weights = list(itertools.accumulate(1 / (i + 10) for i in range(len(self.words))))
        self.threads = []
        self.i = 0

    def some(self, n):
        return self.r.choices(self.words, cum_weights=self.weights, k=n)

    def person(self):
        n = min(int(self.r.expovariate(1 / 60)), PEOPLE - 1)
        return f"{self.words[n + 900].title()} {self.words[n + 2000].title()} <p{n}@{self.words[n % 40 + 500]}.example>"

    def text(self, size):
        got = self.some(size // 6)
        for word, one_in in (("harvest", 10), ("lantern", 20), (RARE, 5000)):
            if self.r.randrange(one_in) == 0:
                got.insert(self.r.randrange(len(got) + 1), word)
        return "\r\n".join(" ".join(got[i:i + 11]) for i in range(0, len(got), 11)) + "\r\n"

    def thread(self):
        """Subject and references."""
        if self.threads and self.r.random() < 0.6:
            at = self.r.randrange(len(self.threads))
            subject, refs = self.threads[at]
            if len(refs) < 12:
                return at, "Re: " + subject, refs
        self.threads = self.threads[-200:] + [(" ".join(self.some(4)).capitalize(), [])]
        return len(self.threads) - 1, self.threads[-1][0], []

    def body(self, text, mark):
        kind = self.r.random()
        if kind < 0.5:
            return ("Content-Type: text/plain; charset=utf-8\r\n"
                    "Content-Transfer-Encoding: 8bit\r\n\r\n" + text)
        parts = [f"Content-Type: text/plain; charset=utf-8\r\n\r\n{text}"]
        if kind < 0.83:
            what = "alternative"
            html = "<br>\r\n".join(text.split("\r\n"))
            parts.append("Content-Type: text/html; charset=utf-8\r\n\r\n"
                         f"<html><body><div class=\"m\">{html}</div></body></html>\r\n")
        else:
            what = "mixed"
            data = base64.encodebytes(self.r.randbytes(self.r.randrange(2000, 12000)))
            parts.append("Content-Type: application/pdf; name=\"report.pdf\"\r\n"
                         "Content-Disposition: attachment; filename=\"report.pdf\"\r\n"
                         "Content-Transfer-Encoding: base64\r\n\r\n"
                         + data.decode().replace("\n", "\r\n"))
        joined = "".join(f"--{mark}\r\n{p}\r\n" for p in parts)
        return f"Content-Type: multipart/{what}; boundary=\"{mark}\"\r\n\r\n{joined}--{mark}--\r\n"

    def headers(self, when, ident):
        at, subject, refs = self.thread()
        stamp = time.strftime("%d %b %Y %H:%M:%S +0000", time.gmtime(when))
        lines = [f"Return-Path: <{self.words[1]}@sender.example>",
                 f"Received: from mx{self.i % 9}.sender.example (mx{self.i % 9}.sender.example [192.0.2.7])\r\n"
                 f"\tby mx.example.test with ESMTPS id {self.i:x}\r\n\tfor <anna@example.test>; {stamp}",
                 f"From: {self.person()}", "To: Anna <anna@example.test>", f"Subject: {subject}",
                 f"Date: {stamp}", f"Message-ID: {ident}"]
        if self.r.random() < 0.3:
            lines.append("Cc: " + ", ".join(self.person() for _ in range(self.r.randrange(1, 4))))
        if refs:
            lines += ["In-Reply-To: " + refs[-1], "References: " + "\r\n ".join(refs)]
        if self.r.random() < 0.4:
            lines += [f"List-Id: <{self.words[self.i % 30 + 100]}.lists.example>", "Precedence: list"]
        self.threads[at][1].append(ident)
        return "\r\n".join(lines + ["MIME-Version: 1.0"]) + "\r\n"

    def next(self):
        self.i += 1
        when = START + self.i * 1200 + self.r.randrange(40000)
        size = min(max(int(self.r.lognormvariate(8.1, 0.8)), 300), 60000)
        head = self.headers(when, f"<{self.i}.{self.r.getrandbits(60):x}@{self.words[self.i % 40 + 500]}.example>")
        text = head + self.body(self.text(size), f"=_{self.i:x}_{self.r.getrandbits(40):x}")
        return time.strftime('"%d-%b-%Y %H:%M:%S +0000"', time.gmtime(when)), text.encode()


if __name__ == "__main__":
    import statistics
    m = Mail()
    sizes = [len(m.next()[1]) for _ in range(3000)]
    print(statistics.median(sizes), statistics.mean(sizes))
