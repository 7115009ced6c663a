#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""What pages take: CPU time of house for GET /r/TOKEN, for appeals, and with connections that stall.

    web.py [--pages N] [--appeals N] [--stalled N]

Needs a build (GATEPOST_BUILD) and nothing else.  Prints a table.
"""
import argparse
import http.client
import os
import pathlib
import re
import resource
import socket
import statistics
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "it")]

import gatepost  # noqa: E402
from clamd import GTUBE  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")
SETTINGS = "[web]\nwork = 0\nappeals = 1000000\nappeals_network = 1000000\nappeals_domain = 1000000\n"


def refuse(gp):
    """The path of a link."""
    code, said = gp.send("anna@example.test", gatepost.message("anna@example.test", body=GTUBE + "\n"))
    assert code == 550, said
    return re.search(r"https://[^/ ]+(/r/\w+)", said)[1]


class House:
    def __init__(self, gp):
        self.pid = gp.pids("house")[0]

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def pss(self):
        text = pathlib.Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"^Pss:\s+(\d+)", text, re.M)[1])


class Browser:
    """One connection, kept alive, and a cookie."""

    def __init__(self, port):
        self.c = http.client.HTTPSConnection("127.0.0.1", port, context=gatepost.insecure(), timeout=60)
        self.cookie = ""

    def ask(self, method, path, body=None):
        fields = {"Host": f"mx.example.test:{self.c.port}", "Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}
        if self.cookie:
            fields["Cookie"] = f"__Host-gatepost={self.cookie}"
        if body is not None:
            fields["Content-Type"] = "application/x-www-form-urlencoded"
        self.c.request(method, path, body, fields)
        r = self.c.getresponse()
        text = r.read().decode()
        set_ = re.match(r"__Host-gatepost=(\w+)", r.headers.get("Set-Cookie", ""))
        if set_:
            self.cookie = set_[1]
        return r.status, text


def hidden(text, name):
    return re.search(rf'name="{name}" value="([^"]*)"', text)[1]


def appeal(b, path):
    status, page = b.ask("GET", path)
    assert status == 200, page
    form = urllib.parse.urlencode({"token": hidden(page, "token"), "stamp": hidden(page, "stamp"),
                                   "note": "This was not spam. " * 20, "contact": "someone@sender.example"})
    return b.ask("POST", path + "/appeal", form)


def pages(gp, house, path, n):
    b, size, times = Browser(443 + gp.offset), 0, []
    b.ask("GET", path)
    before = house.cpu()
    for _ in range(n):
        start = time.monotonic()
        status, text = b.ask("GET", path)
        times.append(time.monotonic() - start)
        assert status == 200
        size = len(text.encode())
    took = (house.cpu() - before) / n * 1e3
    print(f"GET /r/TOKEN    {took:6.2f} CPU-ms, median {statistics.median(times) * 1e3:.2f} ms, {size} bytes")


def appeals(gp, house, n):
    paths = [refuse(gp) for _ in range(n)]
    gp.settle()
    b = Browser(443 + gp.offset)
    before, times = house.cpu(), []
    for path in paths:
        start = time.monotonic()
        status, text = appeal(b, path)
        times.append(time.monotonic() - start)
        assert status == 200, text
    took = (house.cpu() - before) / n * 1e3
    print(f"page and appeal {took:6.2f} CPU-ms, median {statistics.median(times) * 1e3:.2f} ms; letters included")


def stalled(gp, house, n):
    """Half of them in clear, half inside TLS, each in the middle of a head; one appeal meanwhile."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    paths = [refuse(gp), refuse(gp)]
    gp.settle()
    start = time.monotonic()
    appeal(Browser(443 + gp.offset), paths[0])
    alone = time.monotonic() - start
    before, held, context = house.pss(), [], gatepost.insecure()
    for i in range(n):
        s = socket.create_connection(("127.0.0.1", (443 if i % 2 else 80) + gp.offset), 60)
        if i % 2:
            s = context.wrap_socket(s)
        s.sendall(b"GET /r/abc HTTP/1.1\r\nHost: x\r\nA: ")
        held.append(s)
        if i % 500 == 499:  # none is to be late before all are here
            for old in held:
                old.sendall(b"b")
    each = (house.pss() - before) / n
    start = time.monotonic()
    status, _ = appeal(Browser(443 + gp.offset), paths[1])
    took = time.monotonic() - start
    alive = sum(1 for s in held if still_there(s))
    print(f"{n} stalled: {each:.1f} KiB each, {alive} still there; an appeal took {took * 1e3:.0f} ms "
          f"({status}), alone {alone * 1e3:.0f} ms")


def still_there(s):
    try:
        s.setblocking(False)
        return s.recv(1) != b""
    except OSError:
        return True


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--pages", type=int, default=2000)
    p.add_argument("--appeals", type=int, default=100)
    p.add_argument("--stalled", type=int, default=3000)
    a = p.parse_args()
    gp = gatepost.Gatepost(settings=SETTINGS)
    try:
        gp.start()
        gp.people("anna@example.test")
        house, path = House(gp), refuse(gp)
        gp.settle()
        pages(gp, house, path, a.pages)
        appeals(gp, house, a.appeals)
        stalled(gp, house, a.stalled)
    finally:
        gp.remove()


if __name__ == "__main__":
    main()
