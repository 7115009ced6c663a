# SPDX-License-Identifier: ISC
"""Pebble, an ACME server for tests (RFC 8555), and the names that it asks for: all
are 127.0.0.1.  It forgets everything when it ends; its certificates are good for
five years."""
import datetime
import ipaddress
import json
import os
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import urllib.request

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from clamd import wait_for

PEBBLE = shutil.which("pebble")
CHALLTESTSRV = shutil.which("pebble-challtestsrv")


def free_ports(n):
    sockets = [socket.socket() for _ in range(n)]
    for s in sockets:
        s.bind(("127.0.0.1", 0))
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def https_files(folder):
    """A CA and a certificate of it for 127.0.0.1: what Pebble's own HTTPS shows."""
    now = datetime.datetime.utcnow()
    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the test's CA")])
    alt = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])

    def signed(subject, public, serial, extension, critical):
        return (x509.CertificateBuilder().subject_name(subject).issuer_name(name)
                .public_key(public.public_key()).serial_number(serial)
                .not_valid_before(now - datetime.timedelta(days=1))
                .not_valid_after(now + datetime.timedelta(days=30))
                .add_extension(extension, critical).sign(ca_key, hashes.SHA256()))

    ca = signed(name, ca_key, 1, x509.BasicConstraints(True, None), True)
    cert = signed(x509.Name([]), key, 2, alt, False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "cert.pem").write_bytes(cert.public_bytes(pem))
    (folder / "key.pem").write_bytes(key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Pebble:
    """http: the port that it validates on."""

    def __init__(self, http):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="gatepost-pebble-", dir="/tmp"))
        self.folder.chmod(0o755)
        https_files(self.folder)
        self.ca_file = self.folder / "ca.pem"
        self.port, self.management, tls, self.dns, self.mock = free_ports(5)
        (self.folder / "pebble.json").write_text(json.dumps({"pebble": {
            "listenAddress": f"127.0.0.1:{self.port}",
            "managementListenAddress": f"127.0.0.1:{self.management}",
            "certificate": "cert.pem", "privateKey": "key.pem", "httpPort": http, "tlsPort": tls,
            "ocspResponderURL": "", "externalAccountBindingRequired": False}}))
        self.directory = f"https://127.0.0.1:{self.port}/dir"
        self.process = self.resolver = None

    def settings(self):
        """Of an instance that uses it."""
        return f"[acme]\ndirectory = {self.directory}\nca_file = {self.ca_file}\n"

    def _run(self, *words):
        with open(self.folder / "log", "a") as log:
            return subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log,
                                    stderr=log, env=os.environ | {"PEBBLE_VA_NOSLEEP": "1",
                                                                  "PEBBLE_AUTHZREUSE": "0"})

    def start(self):
        if not self.resolver:
            self.resolver = self._run(CHALLTESTSRV, "-defaultIPv4", "127.0.0.1", "-defaultIPv6", "",
                "-dns01", f"127.0.0.1:{self.dns}", "-http01", "", "-https01", "", "-tlsalpn01", "",
                "-management", f"127.0.0.1:{self.mock}")
            assert wait_for(lambda: listens(self.mock), 20), self.log()
        self.process = self._run(PEBBLE, "-config", "pebble.json", "-strict=false",
                                 "-dnsserver", f"127.0.0.1:{self.dns}")
        assert wait_for(lambda: listens(self.port) and listens(self.management), 20), self.log()
        return self

    def stop(self):
        """It alone; names are still answered."""
        if self.process:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(20)
            self.process = None

    def remove(self):
        self.stop()
        if self.resolver:
            self.resolver.terminate()
            self.resolver.wait(20)
        shutil.rmtree(self.folder)

    def log(self):
        log = self.folder / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def root(self):
        """The CA that signs for others, PEM; another one after each start."""
        trust = ssl.create_default_context(cafile=self.ca_file)
        with urllib.request.urlopen(f"https://127.0.0.1:{self.management}/roots/0",
                                    context=trust, timeout=20) as r:
            return r.read().decode()


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False
