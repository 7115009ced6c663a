# SPDX-License-Identifier: ISC
"""IMAP servers for bench/imap.py, each with a folder and a log of its own, and the CPU
time of all their processes: those of Dovecot that ended too, by a cgroup of the
server's own, or by /proc where there is no cpuacct."""
import os
import pathlib
import pwd
import subprocess

import gatepost
import peers
from clamd import wait_for

PASSWORD = "correct horse"
CPUACCT = pathlib.Path("/sys/fs/cgroup/cpuacct")


class Meter:
    """CPU seconds of a process tree.  A process enters with Popen(preexec_fn=meter.enter)."""

    def __init__(self, name):
        self.group = CPUACCT / f"gatepost-bench-{name}-{os.getpid()}"
        try:
            self.group.mkdir()
        except OSError:
            self.group = None

    def enter(self):
        if self.group:
            (self.group / "cgroup.procs").write_text(str(os.getpid()))

    def seconds(self, pids):
        if self.group:
            return int((self.group / "cpuacct.usage").read_text()) / 1e9
        return peers.cpu_seconds(pids)

    def remove(self):
        if self.group and wait_for(lambda: not (self.group / "cgroup.procs").read_text(), 10):
            self.group.rmdir()


class Ours(gatepost.Gatepost):
    """Gatepost, as it is after init, but for logins in plain text."""

    def __init__(self, people, settings=""):
        super().__init__(folder=peers.place())
        self.name = "Gatepost"
        self.people_named = people
        self.meter = Meter("gatepost")
        self.configure(server="plain_loopback = yes", settings=settings)
        self.imap = 143 + self.offset

    def start(self, seconds=60):
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                [str(gatepost.BINARY), "-c", str(self.conf), "serve"], preexec_fn=self.meter.enter,
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if not wait_for(self.greets, seconds, 0.1):
            raise RuntimeError("gatepost did not start: " + (self.folder / "log").read_text())
        self.verb("domain", "add", "example.test")
        for name in self.people_named:
            self.verb("account", "add", self.address(name), "--password-stdin", stdin=PASSWORD + "\n")
        return self

    @staticmethod
    def address(name):
        return f"{name}@example.test"

    def cpu(self):
        return self.meter.seconds([self.process.pid] + self.descendants())

    def pss(self, role=None):
        return peers.pss_mib(self.pids(role) if role else [self.process.pid] + self.descendants())

    def end(self):
        self.stop()
        self.meter.remove()


class Dovecot:
    """Debian's, with its default settings; only the limit of connections of one person
    is off.  form: its mail_location."""

    def __init__(self, form, port):
        self.name = f"Dovecot {form}"
        self.folder = peers.place()
        self.meter = Meter("dovecot-" + form)
        self.imap = peers.free_port(port)
        mail = self.folder / "mail"
        mail.mkdir()
        nobody = pwd.getpwnam("nobody")
        os.chown(mail, nobody.pw_uid, nobody.pw_gid)
        where = {"maildir": "maildir:~/Maildir", "sdbox": "sdbox:~/dbox"}[form]
        self.conf = self.folder / "dovecot.conf"
        self.conf.write_text(f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
instance_name = {self.folder.name}
log_path = {self.folder}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = {where}
first_valid_uid = 1
first_valid_gid = 1
mail_max_userip_connections = 0
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={nobody.pw_uid} gid={nobody.pw_gid} home={mail}/%n allow_all_users=yes
}}
namespace inbox {{
  inbox = yes
}}
service imap-login {{
  inet_listener imap {{
    port = {self.imap}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
""")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(self.conf)],
                                        preexec_fn=self.meter.enter)
        if not wait_for(lambda: not gatepost.free(self.imap), 20, 0.1):
            raise RuntimeError("dovecot did not start: " + (self.folder / "log").read_text())
        return self

    @staticmethod
    def address(name):
        return name

    def cpu(self):
        return self.meter.seconds(peers.tree(self.process.pid))

    def pss(self, role=None):
        return peers.pss_mib(peers.tree(self.process.pid))

    def end(self):
        self.process.terminate()
        self.process.wait(30)
        self.meter.remove()
