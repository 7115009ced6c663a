#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Sizes and headers, where a tool can see them.

Refused: functions past 100 lines, files past 1,000, headers past 150 lines or
without a manual at their top, files without an SPDX line, marks of unfinished
work.  Tests and tables are exempt from sizes.  Prints each breach; exits 1 when
there is one.
"""
import pathlib
import re
import sys

UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def functions(lines):
    """(name, first line, length) of each definition: a name at the line's
    beginning, later '{' there, then '}'."""
    name = start = None
    for n, line in enumerate(lines, 1):
        m = re.match(r"(\w+)\(", line)
        if m:
            name, start = m[1], n
        elif line == "}" and name:
            yield name, start, n - start + 1
            name = None


def breaches(path):
    lines = path.read_text().splitlines()
    test = path.name.endswith("_test.c")
    if not lines or "SPDX-License-Identifier: ISC" not in lines[0]:
        yield 1, "the first line is not the SPDX line"
    if path.suffix == ".h" and not any(l.startswith("/*") for l in lines[1:6]):
        yield 1, "a header begins with its manual"
    if path.suffix == ".h" and len(lines) > 150:
        yield len(lines), "a header of more than 150 lines"
    if not test and len(lines) > 1000:
        yield len(lines), "a file of more than 1,000 lines"
    for n, line in enumerate(lines, 1):
        if UNFINISHED.search(line):
            yield n, "unfinished work"
    if test or path.suffix != ".c":
        return
    for name, start, length in functions(lines):
        if length > 100:
            yield start, f"{name} has {length} lines"


def main():
    bad = 0
    for folder in ("src", "test", "fuzz", "bench"):
        for path in sorted(pathlib.Path(folder).rglob("*.[ch]")):
            for n, what in breaches(path):
                print(f"{path}:{n}: {what}")
                bad = 1
    return bad


if __name__ == "__main__":
    sys.exit(main())
