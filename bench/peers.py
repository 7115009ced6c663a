# SPDX-License-Identifier: ISC
"""The peers that Gatepost is measured against, each an instance of its own in a
temporary folder, from Debian's packages: Postfix and OpenSMTPD, delivering to
Dovecot over LMTP.  Needs root; changes nothing outside the folder.
"""
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "it"))

from clamd import wait_for  # noqa: E402
from gatepost import children, free  # noqa: E402

TICK = os.sysconf("SC_CLK_TCK")


def tree(pid):
    """A process and all below it."""
    out = [pid]
    for child in children(pid):
        out += tree(child)
    return out


def cpu_seconds(pids):
    """User and system time of the processes and of children they waited for."""
    ticks = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/stat") as f:
                fields = f.read().rsplit(")", 1)[1].split()
            ticks += sum(int(fields[i]) for i in (11, 12, 13, 14))
        except OSError:
            pass
    return ticks / TICK


def pss_mib(pids):
    kib = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup") as f:
                kib += sum(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except OSError:
            pass
    return kib / 1024


def greets(port):
    try:
        with socket.create_connection(("127.0.0.1", port), 5) as s:
            s.settimeout(5)
            return s.recv(200).startswith(b"220")
    except OSError:
        return False


_places = []


def place():
    """A folder for one server.  ext4 puts folders below one with the attribute T far
    from each other, so that nobody's inodes lie among those that others have just
    deleted: without a file system journal ext4 looks at each of them (for five
    minutes) whenever it makes a file, which can cost more than the mail does."""
    top = pathlib.Path("/var/tmp/gatepost-bench")
    top.mkdir(mode=0o755, exist_ok=True)
    subprocess.run(["chattr", "+T", top], stderr=subprocess.DEVNULL)
    folder = pathlib.Path(tempfile.mkdtemp(dir=top))
    folder.chmod(0o755)
    _places.append(folder)
    return folder


def remove_places():
    """After the last figure was taken, for the same reason."""
    for folder in _places:
        shutil.rmtree(folder, ignore_errors=True)


def free_port(start):
    while not free(start):
        start += 1
    return start


class Dovecot:
    """LMTP into maildirs; every local part is an account."""

    def __init__(self, folder):
        self.folder = folder / "dovecot"
        self.folder.mkdir()
        self.folder.chmod(0o755)
        self.socket = self.folder / "lmtp"
        self.log = self.folder / "log"
        mail = self.folder / "mail"
        mail.mkdir()
        nobody = pwd.getpwnam("nobody")
        os.chown(mail, nobody.pw_uid, nobody.pw_gid)
        self.conf = self.folder / "dovecot.conf"
        self.conf.write_text(f"""
base_dir = {self.folder}/run
state_dir = {self.folder}/state
instance_name = gatepost-bench
log_path = {self.log}
protocols = lmtp
ssl = no
mail_location = maildir:~/Maildir
first_valid_uid = 1
first_valid_gid = 1
auth_username_format = %n
passdb {{
  driver = static
  args = nopassword=y
}}
userdb {{
  driver = static
  args = uid={nobody.pw_uid} gid={nobody.pw_gid} home={mail}/%n allow_all_users=yes
}}
service lmtp {{
  unix_listener {self.socket} {{
    mode = 0666
  }}
}}
""")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(["/usr/sbin/dovecot", "-F", "-c", str(self.conf)])
        if not wait_for(lambda: self.socket.exists()):
            raise RuntimeError("dovecot did not start: " + self.log.read_text())

    def pids(self):
        return tree(self.process.pid)

    def stop(self):
        self.process.terminate()
        self.process.wait(30)

    def saved(self):
        """Messages in maildirs, by Dovecot's log."""
        with open(self.log, "rb") as f:
            return f.read().count(b": saved mail to ")

    def files(self):
        done = subprocess.run(["find", str(self.folder / "mail"), "-type", "f", "-path", "*/new/*"],
                              capture_output=True, check=True)
        return done.stdout.count(b"\n")


class Peer:
    """A server before a Dovecot: start, stop, port, pids, delivered."""

    name = ""

    def __init__(self, recipients):
        self.folder = place()
        self.recipients = recipients
        self.dovecot = Dovecot(self.folder)

    def start(self):
        self.dovecot.start()
        self.start_server()
        if not wait_for(lambda: greets(self.port), 30, 0.1):
            raise RuntimeError(f"{self.name} did not start")
        return self

    def pids(self):
        return self.server_pids() + self.dovecot.pids()

    def delivered(self):
        return self.dovecot.saved()

    def stop(self):
        self.stop_server()
        self.dovecot.stop()


class Postfix(Peer):
    name = "Postfix → Dovecot LMTP"
    port = 22025

    def more_settings(self):
        """Lines for main.cf."""
        return ""

    def start_server(self):
        self.port = free_port(self.port)
        etc, spool, data = (self.folder / d for d in ("postfix", "spool", "lib"))
        for d in (etc, spool, data):
            d.mkdir()
        shutil.chown(data, "postfix")
        people = etc / "people"
        people.write_text("".join(f"{a} x\n" for a in self.recipients))
        (etc / "main.cf").write_text(f"""
compatibility_level = 3.6
queue_directory = {spool}
data_directory = {data}
maillog_file = {self.folder}/postfix.log
maillog_file_prefixes = {self.folder}
myhostname = mx.example.test
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
virtual_mailbox_domains = example.test
virtual_mailbox_maps = hash:{people}
virtual_transport = lmtp:unix:{self.dovecot.socket}
smtpd_relay_restrictions = reject_unauth_destination
smtpd_client_connection_rate_limit = 0
smtpd_client_connection_count_limit = 0
default_process_limit = 100
{self.more_settings()}""")
        services = pathlib.Path("/usr/share/postfix/master.cf.dist")
        if not services.exists():
            services = pathlib.Path("/etc/postfix/master.cf.proto")
        rows = [r for r in services.read_text().splitlines()
                if r and not r.startswith(("#", " ")) and r.split()[0] not in ("smtp", "postlog")
                or r.split()[:2] == ["smtp", "unix"]]
        rows = [" ".join(w if i != 4 else "n" for i, w in enumerate(r.split())) for r in rows]
        rows.append(f"127.0.0.1:{self.port} inet n - n - - smtpd")
        rows.append("postlog unix-dgram n - n - 1 postlogd")
        (etc / "master.cf").write_text("\n".join(rows) + "\n")
        self.etc = etc
        run = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(["/usr/sbin/postmap", "-c", etc, people], **run)
        subprocess.run(["/usr/sbin/postfix", "-c", etc, "start"], **run)
        wait_for(lambda: (spool / "pid" / "master.pid").exists())
        self.master = int((spool / "pid" / "master.pid").read_text())

    def server_pids(self):
        return tree(self.master)

    def stop_server(self):
        subprocess.run(["/usr/sbin/postfix", "-c", self.etc, "stop"], stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        wait_for(lambda: not pathlib.Path(f"/proc/{self.master}").exists(), 15)


class OpenSmtpd(Peer):
    """Debian lets only one mail server be installed, so the package is unpacked;
    its fixed paths are bound in a mount namespace of its own."""

    name = "OpenSMTPD → Dovecot LMTP"
    port = 22125
    bound = {"etc": "/etc", "spool": "/var/spool", "lib": "/var/lib", "libexec": "/usr/libexec"}

    def unpack(self):
        subprocess.run(["apt-get", "download", "-q", "opensmtpd"], cwd=self.folder, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deb = next(self.folder.glob("opensmtpd_*.deb"))
        subprocess.run(["dpkg-deb", "-x", deb, self.folder / "root"], check=True)

    def start_server(self):
        self.port = free_port(self.port)
        self.unpack()
        (self.folder / "lib/opensmtpd/empty").mkdir(parents=True)
        (self.folder / "spool/smtpd").mkdir(parents=True)
        (self.folder / "spool/smtpd").chmod(0o711)
        (self.folder / "libexec").symlink_to("root/usr/libexec")
        etc = self.folder / "etc"
        shutil.copytree("/etc", etc, symlinks=True, ignore=lambda d, names: [
            n for n in names if d == "/etc" and n not in ("passwd", "group", "hosts", "ssl",
                "nsswitch.conf", "resolv.conf", "localtime", "ld.so.cache", "services")])
        with open(etc / "passwd", "a") as f:
            f.write("opensmtpd:x:64901:64901::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n"
                    "opensmtpq:x:64902:64902::/var/lib/opensmtpd/empty:/usr/sbin/nologin\n")
        with open(etc / "group", "a") as f:
            f.write("opensmtpd:x:64901:\nopensmtpq:x:64902:\n")
        (etc / "people").write_text("".join(f"{a} nobody\n" for a in self.recipients))
        (etc / "smtpd.conf").write_text(f"""
table people file:/etc/people
listen on 127.0.0.1 port {self.port} hostname mx.example.test
smtp max-message-size "50M"
action "lmtp" lmtp "{self.dovecot.socket}" rcpt-to virtual <people>
match from any for domain "example.test" action "lmtp"
""")
        binds = "".join(f"mount --bind {self.folder}/{d} {at}\n" for d, at in self.bound.items())
        smtpd = self.folder / "root/usr/sbin/smtpd"
        self.process = subprocess.Popen(["unshare", "-m", "--propagation", "private", "sh", "-ec",
            f"{binds} exec {smtpd} -d -f /etc/smtpd.conf"],
            stdout=open(self.folder / "smtpd.log", "w"), stderr=subprocess.STDOUT)

    def server_pids(self):
        return tree(self.process.pid)

    def stop_server(self):
        pids = self.server_pids()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
        time.sleep(0.2)
        for pid in pids[1:]:
            if pathlib.Path(f"/proc/{pid}").exists():
                os.kill(pid, signal.SIGTERM)
