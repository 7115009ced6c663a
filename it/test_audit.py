# SPDX-License-Identifier: ISC
"""audit is believed only because it is tested by damage: whatever is taken away is
named.  And backup, which must give an instance that audit finds sound."""
import shutil
import sqlite3
import threading

import pytest

from gatepost import message

A = "alice@example.test"


@pytest.fixture
def g(gatepost):
    """Twelve messages, one refused for a policy, then stopped."""
    made = gatepost(start=False)
    made.people(A, "bob@example.test")
    made.start()
    for n in range(12):
        to = [A, "bob@example.test"] if n % 2 else A
        assert made.send(to, message(to, subject=f"number {n}"))[0] == 250
    made.wait_mail(A, 12)
    assert made.stop() == 0
    made.audit()
    return made


def named(g, *words):
    """audit fails, and names these."""
    code, said = g.fails("audit")
    assert code == 1
    told = said + g._run(["-c", str(g.conf), "audit"], check=False).stdout
    for word in words:
        assert word in told, f"{word!r} is not named in:\n{told}"


def blob(g, n=5):
    return sorted(p for p in (g.data / "accounts").rglob("*") if p.is_file())[n]


def shards(g, sql, *args):
    changed = 0
    for path in sorted((g.data / "index").glob("*.db")):
        with sqlite3.connect(path) as db:
            changed += db.execute(sql, args).rowcount
    return changed


def test_a_removed_message_file_is_named(g):
    path = blob(g)
    path.unlink()
    named(g, path.name)


def test_a_removed_index_row_is_named(g):
    msgid = g.mail(A)[3]["id"]
    assert shards(g, "DELETE FROM mailbox_email WHERE msgid = ?", msgid) >= 1
    shards(g, "DELETE FROM email WHERE msgid = ?", msgid)
    named(g, msgid)


def test_a_removed_ledger_row_is_named(g):
    month = next((g.data / "ledger").glob("*.db"))
    with sqlite3.connect(month) as db:
        msgid, = db.execute("SELECT id FROM message ORDER BY seq LIMIT 1 OFFSET 4").fetchone()
        db.execute("DELETE FROM message WHERE id = ?", (msgid,))
    named(g, msgid)


def test_a_removed_ledger_is_named_and_made_anew_from_the_journal(g):
    rows = len(g.rows("ledger"))
    for path in (g.data / "ledger").iterdir():
        path.unlink()
    named(g, "ledger")
    g.start()
    g.settle()
    assert len(g.rows("ledger")) == rows
    assert g.stop() == 0
    g.audit()


def journal(g):
    return next((g.data / "journal" / "gate").glob("*.log"))


def test_a_zeroed_journal_record_is_named(g):
    path = journal(g)
    msgid = g.mail(A)[3]["id"].encode()
    data = bytearray(path.read_bytes())
    at = data.find(msgid)
    assert at > 0
    data[at:at + len(msgid)] = bytes(len(msgid))
    path.write_bytes(data)
    named(g, "journal")


def test_a_journal_cut_short_is_named(g):
    """Its last records are gone without a trace in it: the ledger still knows them."""
    path = journal(g)
    msgid = g.mail(A)[-3]["id"].encode()
    data = path.read_bytes()
    at = data.find(msgid) - 200
    path.write_bytes(data[:at])
    named(g, "journal")


def test_a_removed_journal_file_is_named(g):
    journal(g).unlink()
    named(g, "journal")


def test_a_changed_byte_is_found_by_verify(g):
    path = blob(g)
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)
    code, said = g.fails("verify")
    told = said + g._run(["-c", str(g.conf), "verify"], check=False).stdout
    assert code == 1 and path.name in told


def test_a_message_nobody_knows_is_named(g):
    path = blob(g)
    stranger = path.with_name(path.name[:-4] + "ZZZZ")
    shutil.copy(path, stranger)
    named(g, stranger.name)


def test_a_backup_under_load_is_sound(gatepost, tmp_path):
    g = gatepost(start=False)
    g.people(A)
    g.start()
    stop, sent = threading.Event(), []

    def load():
        while not stop.is_set():
            sent.append(g.send(A, message(A, subject=f"m{len(sent)}"))[0])

    thread = threading.Thread(target=load)
    thread.start()
    try:
        while len(sent) < 20:
            stop.wait(0.02)
        g.verb("backup", tmp_path / "backup")
    finally:
        stop.set()
        thread.join()
    assert set(sent) == {250}
    g.wait_mail(A, len(sent))
    g.audit()
    assert g.stop() == 0
    shutil.rmtree(g.data)
    g.verb("restore", tmp_path / "backup")
    g.verb("verify")
    g.audit()
    assert 20 <= len(g.mail(A)) <= len(sent)
    g.start()
    assert g.send(A)[0] == 250
    g.audit()


def test_a_restore_that_was_cut_off_gives_nothing_twice(g, tmp_path):
    g.verb("backup", tmp_path / "backup")
    texts, last = sorted(g.texts(A)), g.mail(A)[-2]["id"]
    g.verb("account", "remove", A)
    g.verb("account", "add", A)
    missing = [p for p in (tmp_path / "backup").rglob(last) if "accounts" in p.parts]
    for n, path in enumerate(missing):
        path.rename(tmp_path / str(n))
    assert "has no file" in g.fails("restore", tmp_path / "backup", "--account", A)[1]
    for n, path in enumerate(missing):
        (tmp_path / str(n)).rename(path)
    g.verb("restore", tmp_path / "backup", "--account", A)
    assert sorted(g.texts(A)) == texts
    g.audit()


def test_an_account_comes_back_from_a_backup_of_an_older_version(g, tmp_path):
    backup = tmp_path / "backup"
    g.verb("backup", backup)
    texts = sorted(g.texts(A))
    for path in backup.glob("data/index/*.db"):
        db = sqlite3.connect(path, isolation_level=None)
        db.execute("DROP TABLE email_item")
        for table in ("mailbox_mark", "expunged_known"):
            db.execute(f"DROP TABLE IF EXISTS {table}")
        db.execute("PRAGMA user_version = 6")
        db.close()
    before = {p: p.read_bytes() for p in backup.rglob("*.db")}
    g.verb("account", "remove", A)
    g.verb("account", "add", A)
    g.verb("restore", backup, "--account", A)
    assert sorted(g.texts(A)) == texts
    assert {p: p.read_bytes() for p in backup.rglob("*.db")} == before
    assert not (g.data / "restoring").exists()
    g.audit()
