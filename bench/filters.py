# SPDX-License-Identifier: ISC
"""Servers that filter while the sender waits: Gatepost with clamd, and Postfix with
rspamd as a milter, which asks a clamd too, before Dovecot.  Each has a clamd of its
own with the same signatures.  Needs root; changes nothing outside its folders.

rspamd runs as Debian delivers it, but for what asks the network (DNS lists, SPF, DKIM,
DMARC, ARC, fuzzy storage) or needs a Redis: those are switched off, because Gatepost
does none of it yet.  Nothing is refused for its score on either side.
"""
import hashlib
import os
import random
import shutil
import subprocess
import time

import gatepost
import peers
from clamd import Clamd, wait_for

SMALL, LARGE = "small", "large"
LARGE_HASHES, LARGE_BODIES = 400_000, 60_000


def synthetic(folder):
    """Signatures of nothing: hashes, and bodies that clamd has to look for in every
    file.  About what the official databases hold in kind, a fifth of them in number."""
    r = random.Random(7)
    with open(folder / "synthetic.hdb", "w") as f:
        for i in range(LARGE_HASHES):
            f.write(f"{hashlib.md5(b'%d' % i).hexdigest()}:{r.randrange(200, 900000)}:Synthetic.H-{i}\n")
    with open(folder / "synthetic.ndb", "w") as f:
        for i in range(LARGE_BODIES):
            f.write(f"Synthetic.B-{i}:{r.choice('0347')}:*:{r.randbytes(r.randrange(12, 60)).hex()}\n")


class Virus(Clamd):
    """clamd with the small database, or with a large one beside it."""

    def __init__(self, size):
        super().__init__()
        if size == LARGE:
            synthetic(self.databases)
            self.big = True

    def pids(self):
        return peers.tree(self.process.pid)


class Rspamd:
    """rspamd as a milter on a port of the loopback."""

    quiet_s = 8
    off = ["rbl", "spf", "dkim", "dkim_signing", "dmarc", "arc", "fuzzy_check", "asn", "greylist",
           "ratelimit", "replies", "neural", "mx_check", "history_redis", "url_redirector",
           "reputation", "bayes_expiry", "known_senders", "surbl", "emails", "whitelist"]

    def __init__(self, folder, clamd):
        self.folder = folder / "rspamd"
        self.etc = self.folder / "etc"
        shutil.copytree("/etc/rspamd", self.etc)
        self.port = peers.free_port(23332)
        for name in ("run", "db", "log"):
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, "_rspamd")
        local = self.etc / "local.d"
        local.mkdir(exist_ok=True)
        (local / "worker-proxy.inc").write_text(
            f'bind_socket = "127.0.0.1:{self.port}";\nmilter = yes;\ntimeout = 60s;\n'
            'upstream "local" { default = yes; self_scan = yes; }\n'
            f"count = {os.cpu_count()};\n")
        for name in ("normal", "fuzzy", "controller"):
            (local / f"worker-{name}.inc").write_text("enabled = false;\n")
        for name in self.off:
            (local / f"{name}.conf").write_text("enabled = false;\n")
        (local / "classifier-bayes.conf").write_text("enabled = false;\n")
        (local / "options.inc").write_text(
            'dns { nameserver = ["127.0.0.1:1"]; timeout = 0.01s; retransmits = 1; }\n')
        (local / "actions.conf").write_text("reject = 9999;\nadd_header = 9999;\ngreylist = 9999;\n")
        (local / "logging.inc").write_text(
            f'type = "file"; filename = "{self.folder}/log/rspamd.log"; level = "notice";\n')
        (local / "antivirus.conf").write_text(
            'clamav {\n  action = "reject";\n  scan_mime_parts = false;\n  symbol = "CLAM_VIRUS";\n'
            f'  type = "clamav";\n  servers = "{clamd.socket}";\n}}\n')
        self.process = None

    def start(self):
        words = [f"--var={k}={self.folder / v}" for k, v in (
            ("CONFDIR", "etc"), ("LOCAL_CONFDIR", "etc"), ("RUNDIR", "run"), ("DBDIR", "db"),
            ("LOGDIR", "log"))]
        self.process = subprocess.Popen(
            ["/usr/bin/rspamd", "-f", "-u", "_rspamd", "-g", "_rspamd", "-c",
             self.etc / "rspamd.conf", *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # it compiles its patterns first, for minutes on a busy machine
        if not wait_for(self.compiled, 400, 0.5):
            raise RuntimeError("rspamd did not start: " + self.log())

    def log(self):
        path = self.folder / "log" / "rspamd.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else "(no log)"

    def compiled(self):
        """It listens, and has had no new database of patterns for a while."""
        made = [p.stat().st_mtime for p in (self.folder / "db").glob("*.hs*")]
        return (not gatepost.free(self.port) and bool(made)
                and time.time() - max(made) > self.quiet_s)

    def pids(self):
        return peers.tree(self.process.pid)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class FilteredPostfix(peers.Postfix):
    name = "Postfix + rspamd + clamd → Dovecot LMTP"
    port = 22225
    size = SMALL

    def start(self):
        self.clamd = Virus(self.size).start()
        self.rspamd = Rspamd(self.folder, self.clamd)
        self.rspamd.start()
        return super().start()

    def more_settings(self):
        return (f"smtpd_milters = inet:127.0.0.1:{self.rspamd.port}\n"
                "milter_default_action = tempfail\n")

    def pids(self):
        return super().pids() + self.rspamd.pids() + self.clamd.pids()

    def stop(self):
        super().stop()
        self.rspamd.stop()
        self.clamd.remove()


def filtered_gatepost(daemon, size):
    """bench/run.py's Daemon, with a clamd of its own."""

    class Filtered(daemon):
        name = "Gatepost + clamd"

        def __init__(self, recipients):
            self.clamd = Virus(size).start()
            super().__init__(recipients)
            self.configure(self.clamd, server="filter = observe")

        def pids(self, role=None):
            own = super().pids(role)
            return own if role else own + self.clamd.pids()

        def stop(self):
            super().stop()
            self.clamd.remove()

    return Filtered


def pair(daemon, size):
    """The two, with the same signatures."""
    class Sized(FilteredPostfix):
        pass

    Sized.size = size
    return [filtered_gatepost(daemon, size), Sized]


def describe(size):
    if size == SMALL:
        return "clamd with the two signatures of `tools/clamav`"
    return f"clamd with {LARGE_HASHES:,} more hashes and {LARGE_BODIES:,} more body signatures"

