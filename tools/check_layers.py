#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Every #include "folder/..." must point downwards.  The table is the law.

A folder may include folders of lower levels, itself, and the neighbours named
for it.  Prints each breach and exits 1 when there is one.
"""
import pathlib
import re
import sys

LEVELS = [
    ["base"],
    ["net", "conf", "crypto", "mime", "say"],
    ["dns", "wire", "db", "rules"],
    ["journal", "mailauth", "directory", "store", "queue", "ledger", "held", "scan"],
    ["filter", "deliver"],
    ["smtp", "imap", "pop3", "web"],
    ["daemon", "ctl"],
]
NEIGHBOURS = {
    "net": ["conf"],        # a service is made from its settings
    "wire": ["mime"],
    "ledger": ["journal"],
    "held": ["journal"],
    "deliver": ["filter"],  # letters say why in the filter's words
    "store": ["journal"],
    "queue": ["journal"],
    "scan": ["mailauth"],
    "daemon": ["ctl"],      # house runs verbs; the command line starts the daemon
    "ctl": ["daemon"],
}
LEVEL = {folder: n for n, row in enumerate(LEVELS) for folder in row}


def allowed(folder, used):
    if used in (folder, "test"):
        return True
    if used in NEIGHBOURS.get(folder, []):
        return True
    return LEVEL[used] < LEVEL[folder]


def main():
    bad = 0
    for path in sorted(pathlib.Path("src").rglob("*.[ch]")):
        folder = path.parts[1] if len(path.parts) > 2 else None
        if folder is None:
            continue
        if folder not in LEVEL:
            print(f"{path}: {folder} is not in the table")
            bad = 1
            continue
        for n, line in enumerate(path.read_text().splitlines(), 1):
            m = re.match(r'#\s*include "(\w+)/', line)
            if not m:
                continue
            if m[1] not in LEVEL and m[1] != "test":
                print(f"{path}:{n}: {m[1]} is not in the table")
                bad = 1
            elif m[1] != "test" and not allowed(folder, m[1]):
                print(f"{path}:{n}: {folder} may not use {m[1]}")
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
