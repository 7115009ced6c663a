# SPDX-License-Identifier: ISC
"""Connections that wait inside TLS, in IDLE, in one mailbox: memory, and how long until
all have heard of a new message."""
import resource
import select
import socket
import time

import gatepost
from imap_client import Client
from imap_mail import Mail
from imap_peers import PASSWORD, Ours

BOX = 10000
WHO = "user0"


def hear(s, mark):
    got = b""
    while mark not in got:
        more = s.recv(65536)
        if not more:
            raise RuntimeError(f"the end, behind {got[-200:]!r}")
        got += more


def waiting(context, port, address):
    s = context.wrap_socket(socket.create_connection(("127.0.0.1", port), 60))
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    hear(s, b"* OK")
    s.sendall(f'a LOGIN {address} "{PASSWORD}"\r\n'.encode())
    hear(s, b"a OK")
    s.sendall(b"b SELECT INBOX\r\n")
    hear(s, b"b OK")
    s.sendall(b"c IDLE\r\n")
    hear(s, b"+ ")
    return s


def woken(all_of, since):
    """Seconds until the APPEND was answered, and until each has something to read."""
    poll, times = select.epoll(), []
    for s in all_of:
        poll.register(s.fileno(), select.EPOLLIN | select.EPOLLONESHOT)
    start = time.monotonic()
    since()
    answered = time.monotonic() - start
    while len(times) < len(all_of):
        ready = poll.poll(20)
        if not ready:
            break
        times += [time.monotonic() - start] * len(ready)
    return answered, times


def measure(n):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    n = min(n, most - 2000)
    server, all_of = Ours([WHO]).start(), []
    try:
        c, mail = Client(server, WHO), Mail(5)
        for _ in range(BOX // 100):
            c.append("INBOX", [mail.next() for _ in range(100)])
        context = gatepost.insecure()
        all_of.append(waiting(context, 993 + server.offset, server.address(WHO)))
        time.sleep(8)
        before, start = server.pss(), time.monotonic()
        house = server.pss("house")
        for _ in range(n):
            all_of.append(waiting(context, 993 + server.offset, server.address(WHO)))
        took = time.monotonic() - start
        time.sleep(3)
        growth, ours = server.pss() - before, server.pss("house") - house
        cpu = server.cpu()
        answered, times = woken(all_of, lambda: c.append("INBOX", [mail.next()]))
        cpu = server.cpu() - cpu
        return (f"{n:,} connections in IDLE inside TLS, each in a mailbox of {BOX:,}: set up in {took:.0f} s, "
                f"{growth * 1024 / n:.1f} KiB each (house {ours * 1024 / n:.1f}). One APPEND woke "
                f"{len(times):,} of {len(all_of):,}: it was answered after {answered * 1e3:.0f} ms, the last "
                f"had heard of it {times[-1] * 1e3:.0f} ms after it was sent, {cpu * 1e3:.0f} CPU-ms.")
    finally:
        for s in all_of:
            s.close()
        server.end()
