#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""make bench: Gatepost and its peers in one run, and what they take.

Needs root and the packages in tools/packages.txt.  Writes the table in
bench/README.md anew.  Rounds are interleaved (each server once, then each again),
so that a disturbance of the machine meets all of them.

    run.py [--rounds N] [--messages N] [--only REGEX] [--parked N] [--dry]

--only: servers by name; parked, filtering, journal and scanner are names too.  --dry: prints only.
"""
import argparse
import datetime
import pathlib
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "it")]

import gatepost  # noqa: E402
import filters  # noqa: E402
import peers  # noqa: E402
from clamd import wait_for  # noqa: E402

README = HERE / "README.md"
SETTLE_S = 6  # longer than Gatepost's checkpoint: what a server does afterwards counts too
LOADS = [(100, 4), (100, 16), (20000, 4), (20000, 16)]


def gatepost_users():
    subprocess.run(["sh", HERE.parent / "tools" / "users.sh"], check=True)


class Daemon(gatepost.Gatepost):
    """Gatepost as bench/peers.py's Peer; its log goes into a file, as theirs do."""

    name = "Gatepost"

    def __init__(self, recipients):
        super().__init__(folder=peers.place())
        self.recipients = recipients
        self.people_file = self.folder / "people"
        self.people_file.write_text("\n".join(recipients) + "\n")

    def start(self, seconds=60):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [str(gatepost.BINARY), "-c", str(self.conf), "serve"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not wait_for(self.greets, seconds, 0.1):
            raise RuntimeError("gatepost did not start: " + (self.folder / "log").read_text())
        self.verb("domain", "add", "example.test")
        self.verb("account", "add", "--from-file", self.people_file)
        return self

    def pids(self, role=None):
        return super().pids(role) if role else [self.process.pid] + self.descendants()

    def delivered(self):
        """Messages that are committed and in the mailboxes; None while some wait."""
        status = self.json("status")
        return status["delivered"] if status["applied"] >= status["synced"] else None


SERVERS = [Daemon, peers.Postfix, peers.OpenSmtpd]


def wait_delivered(server, want, seconds=120):
    """Polls seldom: Gatepost's answer costs it something, which the caller takes off."""
    polls, until = 0, time.monotonic() + seconds
    while time.monotonic() < until:
        polls += 1
        if (server.delivered() or 0) >= want:
            return polls
        time.sleep(0.02)
    raise RuntimeError(f"{server.name}: {server.delivered()} of {want} delivered")


def send(port, people, messages, connections, seed):
    with tempfile.NamedTemporaryFile("w", suffix=".people") as f:
        f.write("\n".join(people) + "\n")
        f.flush()
        done = subprocess.run([str(gatepost.LOAD), "-r", "-c", str(connections), "-m", "10",
                               "-n", str(messages), "-s", str(seed), "127.0.0.1", str(port),
                               f.name], capture_output=True, text=True, check=True)
    return gatepost.json.loads(done.stdout)


def cost_of_asking(server):
    if not isinstance(server, Daemon):
        return 0.0
    before = peers.cpu_seconds(server.pids())
    for _ in range(5):
        server.delivered()
    return (peers.cpu_seconds(server.pids()) - before) / 5


def measure(server, people, messages, connections, seed):
    """One load: figures of one row."""
    had, asking = server.delivered() or 0, cost_of_asking(server)
    cpu, start = peers.cpu_seconds(server.pids()), time.monotonic()
    load = send(server.port, people, messages, connections, seed)
    if load["accepted"] != messages:
        raise RuntimeError(f"{server.name}: {load}")
    polls = wait_delivered(server, had + messages)
    seconds = time.monotonic() - start
    pss = peers.pss_mib(server.pids())
    time.sleep(SETTLE_S)
    cpu = peers.cpu_seconds(server.pids()) - cpu - polls * asking
    return {"cpu": cpu / messages * 1e3, "rate": messages / seconds, "p50": load["p50_ms"],
            "p99": load["p99_ms"], "pss": pss}


def compare(kinds, accounts, rounds, messages, label=None):
    """Rows of all servers with so many accounts, for 4 and 16 connections.  With
    20,000 each load has accounts of its own, that never had mail.  label: what the
    rows are called instead of the number."""
    people = [f"user{i}@example.test" for i in range(accounts)]
    servers, rows, failed = [], {}, []
    try:
        for kind in kinds:
            servers.append(kind(people))
            servers[-1].start()
        for s in servers:
            # the first delivery makes the client known (doc/greeting.md)
            measure_warm = send(s.port, people[-40:], 40, 1, 9)
            wait_delivered(s, measure_warm["accepted"])
        taken = 0
        for n in range(rounds):
            for connections in (c for a, c in LOADS if a == accounts):
                mine = people if accounts == 100 else people[taken:taken + messages]
                if len(mine) < min(messages, accounts):
                    raise RuntimeError("not enough cold accounts: fewer rounds or messages")
                taken += messages
                for s in servers:
                    try:
                        got = measure(s, mine, messages, connections, 100 + n * 10 + connections)
                    except RuntimeError as e:
                        # a peer that puts some mail off for minutes spoils one figure, not all
                        print(f"{accounts} accounts, {connections} connections: {e}", flush=True)
                        failed.append(f"{label or accounts}, {connections} connections: {e}")
                        continue
                    rows.setdefault((label or accounts, connections, s.name), []).append(got)
                    print(f"{accounts} accounts, {connections} connections, {s.name}: "
                          + ", ".join(f"{k} {v:.2f}" for k, v in got.items()), flush=True)
    finally:
        for s in servers:
            s.stop()
    return rows, failed


def parked(n):
    """Memory of sessions that wait inside TLS."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    n = min(n, files - 2000)
    server = Daemon(["user0@example.test"]).start()
    helper = None
    try:
        send(server.port, ["user0@example.test"], 40, 1, 9)
        time.sleep(SETTLE_S)
        before = {p: peers.pss_mib([p]) for p in server.pids()}
        helper = subprocess.Popen([str(gatepost.BUILD / "bench" / "park_tls"), str(n),
                                   str(server.port)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True)
        said = helper.stdout.readline().strip()
        time.sleep(2)
        live = server.json("status")["sessions"]
        after = {p: peers.pss_mib([p]) for p in server.pids()}
        by_role = {}
        for p in after:
            role = gatepost.role_of(p).split()[0]
            by_role[role] = by_role.get(role, 0) + after[p] - before.get(p, 0)
        answered = helper.communicate("")[0].strip()
        growth = sum(after.values()) - sum(before.values())
        return {"said": said, "live": live, "answered": answered, "growth": growth,
                "each": growth * 1024 / max(live, 1), "before": sum(before.values()),
                "by_role": by_role}
    finally:
        if helper and helper.poll() is None:
            helper.kill()
        server.stop()


def journal():
    done = subprocess.run([str(gatepost.BUILD / "bench" / "journal_bench"), peers.place()],
                          capture_output=True, text=True, check=True)
    return done.stdout


def table(rows):
    out = ["| accounts | connections | server | CPU-ms a message | delivered/s | "
           "p50 ms | p99 ms | PSS MiB |", "|---|---|---|---|---|---|---|---|"]
    for (accounts, connections, name), got in rows.items():
        m = {k: statistics.median(g[k] for g in got) for k in got[0]}
        first = accounts if isinstance(accounts, str) else f"{accounts:,}"
        out.append(f"| {first} | {connections} | {name} | {m['cpu']:.2f} | {m['rate']:.0f} | "
                   f"{m['p50']:.1f} | {m['p99']:.1f} | {m['pss']:.0f} |")
    return out


def targets(rows):
    out = []
    for accounts, connections in LOADS:
        ours, theirs = (rows.get((accounts, connections, n)) for n in (Daemon.name,
                                                                       peers.Postfix.name))
        if not ours or not theirs:
            continue
        o, t = ({k: statistics.median(g[k] for g in rs) for k in rs[0]} for rs in (ours, theirs))
        out.append(f"- {accounts:,} accounts, {connections} connections: CPU 1/{t['cpu'] / o['cpu']:.1f} "
                   f"of Postfix (target 1/4), delivered/s × {o['rate'] / t['rate']:.1f} (target 3), "
                   f"p50 {o['p50']:.1f} ms (target 1.5), {o['pss']:.0f} MiB (target 60)")
    return out


def filtering(rounds, messages):
    """Both with a filter and a clamd, small and large."""
    rows, failed = {}, []
    for size in (filters.SMALL, filters.LARGE):
        got, bad = compare(filters.pair(Daemon, size), 100, rounds, messages, f"{size} clamd")
        rows.update(got)
        failed += bad
    return rows, failed


def machine():
    cpus = pathlib.Path("/proc/cpuinfo").read_text()
    model = re.search(r"model name\s*: (.*)", cpus)
    return (f"{cpus.count('processor')} × {model[1] if model else '?'}, Linux "
            f"{pathlib.Path('/proc/sys/kernel/osrelease').read_text().strip()}, load of others at the "
            f"start {pathlib.Path('/proc/loadavg').read_text().split()[0]}, "
            f"{datetime.datetime.now(datetime.timezone.utc):%Y-%m-%d %H:%M} UTC")


def scanner():
    subprocess.run(["ninja", "-C", gatepost.BUILD, "bench/scan_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    return subprocess.run([str(gatepost.BUILD / "bench" / "scan_bench")], capture_output=True,
                          text=True, check=True).stdout.rstrip()


def write(name, text):
    """Between the README's marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = README.read_text().split(begin, 1)
    README.write_text(before + begin + "\n" + text + "\n" + end + rest.split(end, 1)[1])


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--rounds", type=int, default=3)
    a.add_argument("--messages", type=int, default=3000)
    a.add_argument("--only", default="")
    a.add_argument("--parked", type=int, default=10000)
    a.add_argument("--dry", action="store_true")
    o = a.parse_args()
    gatepost_users()
    try:
        run(o)
    finally:
        peers.remove_places()


def run(o):
    """All that is asked for, in turn."""
    wanted = lambda name: re.search(o.only, name, re.I) is not None
    kinds, rows, failed, where = [k for k in SERVERS if wanted(k.name)], {}, [], machine()
    for accounts in sorted({accounts for accounts, _ in LOADS}) if kinds else []:
        got, bad = compare(kinds, accounts, o.rounds, o.messages)
        rows.update(got)
        failed += bad
    text = [where, ""]
    if rows:
        text += [f"Medians of {o.rounds} loads of {o.messages:,} messages.", "",
                 *table(rows), "", *targets(rows), ""]
        text += [f"Left out: {f}" for f in failed] + [""] * bool(failed)
    if wanted("filtering"):
        got, bad = filtering(o.rounds, o.messages)
        text += ["With a filter and a virus scanner, 100 accounts (target: at most 3 CPU-ms in all, "
                 "p50 3 ms, p99 15 ms):", "", *table(got), "",
                 *(f"- {size}: {filters.describe(size)}" for size in (filters.SMALL, filters.LARGE)),
                 ""]
        text += [f"Left out: {f}" for f in bad] + [""] * bool(bad)
    if wanted("parked"):
        p = parked(o.parked)
        roles = ", ".join(f"{r} {v:.0f}" for r, v in p["by_role"].items() if abs(v) >= 0.5)
        text += [f"Parked TLS sessions: {p['said']}, {p['live']} counted; {p['each']:.1f} KiB of our "
                 f"memory each (target 20): {p['before']:.0f} MiB before, + {p['growth']:.0f} MiB "
                 f"({roles}). NOOP afterwards: {p['answered']}.", ""]
    if wanted("journal"):
        text += ["Journal (`bench/journal_bench`):", "", "```", journal().rstrip(), "```"]
    figures = {"figures": "\n".join(text)} if len(text) > 2 else {}
    if wanted("scanner"):
        figures["scanner"] = f"{where}\n\n{scanner()}"
    for name, said in figures.items():
        print(said)
        if not o.dry:
            write(name, said)


if __name__ == "__main__":
    main()
