# SPDX-License-Identifier: ISC
"""Messages that hide a file, made when they are asked for: TRICKS is the table,
BENIGN what ordinary people send.  `python3 -m it.evasions` prints what clamd alone
and other readers make of each."""
from .craft import TRICKS, Trick  # noqa: F401
from . import boundaries, encodings, embedded, headers, nesting, charsets, archives  # noqa: F401
