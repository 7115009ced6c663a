# SPDX-License-Identifier: ISC
"""Real senders: Exim and Postfix from Debian's packages, each with its default
settings and one route, to our port.  Both need root: they switch users.

Exim's package cannot be installed beside Postfix', so it is unpacked, and gets
its user from copies of passwd and group that only it sees.
"""
import pathlib
import re
import shutil
import subprocess
import tempfile

from clamd import wait_for


class Sender:
    """A queue with one way out.  send() queues and tries at once; flush() tries all
    that waits again, whatever the schedule says."""

    def __init__(self, port):
        self.port = port
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-sender-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        self.start()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def stop(self):
        pass

    def until_empty(self, most):
        """Flushes at most so often; how often it took until nothing waited."""
        for n in range(most):
            if self.waiting() == 0:
                return n
            self.flush()
        assert self.waiting() == 0, f"still waiting after {most} more attempts: {self.log()}"
        return most


class Exim(Sender):
    def start(self):
        for package in ("exim4-daemon-light", "exim4-base"):
            subprocess.run(["apt-get", "download", "-q", package], cwd=self.folder, check=True,
                           stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for deb in self.folder.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", deb, self.folder / "root"], check=True)
        self.spool = self.folder / "spool"
        self.spool.mkdir()
        for name, row in (("passwd", "Debian-exim:x:64903:64903::/nonexistent:/usr/sbin/nologin\n"),
                          ("group", "Debian-exim:x:64903:\n")):
            text = pathlib.Path("/etc", name).read_text()
            (self.folder / name).write_text(text if "Debian-exim:" in text else text + row)
        shutil.chown(self.spool, 64903, 64903)
        (self.folder / "exim.conf").write_text(f"""
primary_hostname = client.exim.example
exim_path = {self.folder}/root/usr/sbin/exim4
spool_directory = {self.spool}
log_file_path = {self.spool}/%slog
keep_environment =
begin routers
out:
  driver = manualroute
  route_list = * 127.0.0.1::{self.port} byname
  self = send
  transport = remote_smtp
begin transports
remote_smtp:
  driver = smtp
begin retry
* * F,4d,1m
""")

    def run(self, *words, stdin=""):
        f = self.folder
        script = (f"mount --bind {f}/passwd /etc/passwd && mount --bind {f}/group /etc/group && "
                  f"exec {f}/root/usr/sbin/exim4 -C {f}/exim.conf \"$@\"")
        return subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script,
                               "exim", *words], input=stdin, text=True, capture_output=True,
                              timeout=120)

    def send(self, sender, recipients, text):
        done = self.run("-odf", "-oi", "-f", sender, *recipients, stdin=text)
        assert done.returncode == 0, done.stderr

    def flush(self):
        self.run("-qff")

    def waiting(self):
        return len(list(self.spool.glob("input/**/*-D")))

    def log(self):
        path = self.spool / "mainlog"
        return path.read_text() if path.exists() else ""


class Postfix(Sender):
    def start(self):
        etc, spool, data = (self.folder / d for d in ("etc", "spool", "lib"))
        for d in (etc, spool, data):
            d.mkdir()
        shutil.chown(data, "postfix")
        self.etc, self.queue = etc, spool
        (etc / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {spool}
data_directory = {data}
maillog_file = {self.folder}/postfix.log
maillog_file_prefixes = {self.folder}
myhostname = client.postfix.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
relayhost = [127.0.0.1]:{self.port}
minimal_backoff_time = 1s
queue_run_delay = 1000s
""")
        services = pathlib.Path("/usr/share/postfix/master.cf.dist")
        if not services.exists():
            services = pathlib.Path("/etc/postfix/master.cf.proto")
        rows = [r.split() for r in services.read_text().splitlines() if r and r[0] not in "# "]
        rows = [r[:4] + ["n"] + r[5:] for r in rows if r[:2] != ["smtp", "inet"]]
        rows.append("postlog unix-dgram n - n - 1 postlogd".split())
        (etc / "master.cf").write_text("\n".join(" ".join(r) for r in rows) + "\n")
        self.postfix("postfix", "start")
        assert wait_for(lambda: (spool / "pid" / "master.pid").exists())

    def postfix(self, program, *words, stdin=None):
        flag = "-C" if program == "sendmail" else "-c"
        return subprocess.run([f"/usr/sbin/{program}", flag, str(self.etc), *words], input=stdin,
                              text=True, capture_output=True, timeout=60)

    def attempts(self):
        """Deliveries tried so far, a line each and recipient."""
        return len(re.findall(r"postfix/smtp\[\d+\]: \w+: to=<.*status=", self.log()))

    def settle(self, before, recipients):
        assert wait_for(lambda: self.attempts() >= before + recipients, 60), self.log()

    def send(self, sender, recipients, text):
        before = self.attempts()
        done = self.postfix("sendmail", "-i", "-f", sender, *recipients, stdin=text)
        assert done.returncode == 0, done.stderr
        self.settle(before, len(recipients))

    def flush(self):
        left, before = self.waiting_recipients(), self.attempts()
        self.postfix("postqueue", "-f")
        self.settle(before, left)

    def waiting_recipients(self):
        return self.postfix("postqueue", "-j").stdout.count('"address":')

    def waiting(self):
        # a message leaves its queue file a moment after its last log line
        wait_for(lambda: not list(self.queue.glob("active/*")), 20)
        return self.waiting_recipients()

    def log(self):
        path = self.folder / "postfix.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self):
        self.postfix("postfix", "stop")
