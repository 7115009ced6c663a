#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""embed_sql.py NAME OUTPUT FILE...: SQL files as an array of C strings.

NAME[] holds the files in the order given, for db_migrate(); the folder sql/
is the only place where a schema stands.
"""
import pathlib
import sys


def quoted(line):
    return '\t"' + line.replace("\\", "\\\\").replace('"', '\\"') + '\\n"'


def main():
    name, output, *files = sys.argv[1:]
    out = ["/* Made by tools/embed_sql.py. */", f"static const char *const {name}[] = {{"]
    for path in files:
        # comments between statements are for the reader of the file
        lines = [line.rstrip() for line in pathlib.Path(path).read_text().splitlines()]
        lines = [line for line in lines if line and not line.startswith("--")]
        # in parentheses: clang takes a short one among long ones for a missing comma
        out.append("(" + "\n".join(map(quoted, lines)) + "),")
    out.append("};")
    pathlib.Path(output).write_text("\n".join(out) + "\n")


if __name__ == "__main__":
    main()
