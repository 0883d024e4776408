"""People, tokens, sessions and the audit log, on SQLite and on PostgreSQL. Times are numbers, so nothing waits."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from insights.store import attempts, audit, people, sessions, tokens
from insights.store.people import Person
from insights.store.roles import Role
from insights.store.store import Store
from insights.store.tables import ATTEMPTS, SESSIONS, TOKENS
from stream.faults import UsageFault

HOUR_MS = 3_600_000
HASH = "$argon2id$..."


def ann(store: Store, role: Role = "analyst") -> Person:
    with store.write() as db:
        return people.add_person(db, login="ann", name="Ann", role=role, password_hash=HASH, now_ms=1)


def test_a_person_is_found_by_login_and_number(store: Store) -> None:
    added = ann(store)
    with store.read() as db:
        assert people.person(db, added.id) == people.person_by_login(db, "ann") == added
        assert (people.person(db, added.id + 1), people.person_by_login(db, "Ann")) == (None, None)
        assert people.everybody(db) == [added]
    assert (added.role, added.created_ms, added.disabled_ms) == ("analyst", 1, None)
    assert "ann" not in repr(added).lower()


def test_a_login_is_given_once_and_the_transaction_goes_on(store: Store) -> None:
    first = ann(store)
    with store.write() as db:
        with pytest.raises(UsageFault, match="login 'ann' already: choose another"):
            people.add_person(db, login="ann", name="Other", role="viewer", password_hash=HASH, now_ms=2)
        audit.note(db, at_ms=2, who="root", what="add person", about="refused")
    with store.read() as db:
        assert people.everybody(db) == [first]
        assert len(audit.newest_lines(db)) == 1


def test_a_role_that_is_none_is_not_stored(store: Store) -> None:
    person = ann(store)
    with store.write() as db, pytest.raises(IntegrityError), db.begin_nested():
        people.set_role(db, person.id, "owner")  # type: ignore[arg-type]  # on purpose
    with store.read() as db:
        assert people.everybody(db) == [person]


def test_who_comes_by_a_provider_is_known_by_its_name_for_them_only(store: Store) -> None:
    mine = ann(store)
    with store.write() as db:
        sent = people.sent_by_provider(db, issuer="https://id", subject="7", name="Ann", email="ann@shop", role="viewer", now_ms=5)
        other = people.sent_by_provider(db, issuer="https://id", subject="8", name="Ann", email="ann@shop", role="viewer", now_ms=6)
        again = people.sent_by_provider(db, issuer="https://id", subject="7", name="Ann B.", email=None, role="admin", now_ms=9)
    assert len({mine.id, sent.id, other.id}) == 3
    assert (again.id, again.name, again.email, again.role, again.created_ms) == (sent.id, "Ann B.", None, "admin", 5)
    assert (again.login, again.password_hash) == (None, None)


def test_admins_are_counted_while_they_can_log_in(store: Store) -> None:
    boss = ann(store, "admin")
    with store.write() as db:
        assert people.admins(db) == 1
        people.disable(db, boss.id, 3)
        assert people.admins(db) == 0
        people.disable(db, boss.id, 4)
        disabled = people.person(db, boss.id)
        assert disabled is not None
        assert disabled.disabled_ms == 3
        people.enable(db, boss.id)
        assert people.admins(db) == 1


def test_a_token_is_known_by_its_secret_until_it_is_revoked_or_expires(store: Store) -> None:
    with store.write() as db:
        token, secret = tokens.new_token(db, name="crm", scopes=["read", "batch"], role="analyst", now_ms=1, expires_ms=100)
        assert secret.startswith(token.prefix)
        assert token.scopes == ("read", "batch")
        assert tokens.token_of(db, secret, 99) == token
        assert tokens.token_of(db, secret, 100) is None
        assert tokens.token_of(db, secret + "x", 99) is None
        assert tokens.revoke(db, token.id, 50)
        assert not tokens.revoke(db, token.id, 60)
        assert tokens.token_of(db, secret, 99) is None
        assert [one.revoked_ms for one in tokens.tokens(db)] == [50]
        assert secret not in repr(db.execute(select(TOKENS)).all())


def test_the_last_use_of_a_token_is_written_once_a_minute(store: Store) -> None:
    with store.write() as db:
        token, _ = tokens.new_token(db, name="crm", scopes=[], role="viewer", now_ms=1)
        for now in (10, 20, tokens.USED_EVERY_MS + 9):
            tokens.used(db, token, now)
        assert tokens.tokens(db)[0].last_used_ms == 10
        tokens.used(db, token, tokens.USED_EVERY_MS + 10)
        assert tokens.tokens(db)[0].last_used_ms == tokens.USED_EVERY_MS + 10


def test_a_session_ends_when_it_is_old_idle_or_closed(store: Store) -> None:
    person = ann(store)
    with store.write() as db:
        session, secret = sessions.open_session(db, person, now_ms=0, lasts_ms=12 * HOUR_MS)
        assert sessions.session_of(db, secret, HOUR_MS, 2 * HOUR_MS) == session
        assert sessions.session_of(db, secret, 2 * HOUR_MS, 2 * HOUR_MS) is None
        sessions.seen(db, session, HOUR_MS)
        assert sessions.session_of(db, secret, 2 * HOUR_MS, 2 * HOUR_MS) is not None
        assert sessions.session_of(db, secret, 12 * HOUR_MS, 99 * HOUR_MS) is None
        assert sessions.session_of(db, session.csrf, HOUR_MS, 2 * HOUR_MS) is None
        assert secret not in repr(db.execute(select(SESSIONS)).all())
        assert sessions.close_session(db, secret)
        assert not sessions.close_session(db, secret)
        assert sessions.session_of(db, secret, HOUR_MS, 2 * HOUR_MS) is None


def test_a_change_of_the_person_holds_in_their_open_sessions(store: Store) -> None:
    person = ann(store)
    with store.write() as db:
        _, secret = sessions.open_session(db, person, 0, HOUR_MS)
        people.set_role(db, person.id, "viewer")
        found = sessions.session_of(db, secret, 1, HOUR_MS)
        assert found is not None
        assert found.person.role == "viewer"
        people.disable(db, person.id, 2)
        assert sessions.session_of(db, secret, 3, HOUR_MS) is None
        people.enable(db, person.id)
        people.set_password(db, person.id, "$argon2id$other")
        assert sessions.close_sessions_of(db, person.id) == 1
        assert sessions.session_of(db, secret, 3, HOUR_MS) is None


def test_expired_sessions_are_forgotten(store: Store) -> None:
    person = ann(store)
    with store.write() as db:
        sessions.open_session(db, person, 0, 10)
        sessions.open_session(db, person, 0, 20)
        assert sessions.forget_expired(db, 10) == 1
        assert sessions.forget_expired(db, 10) == 0


def test_audit_lines_come_newest_first_page_by_page_and_old_ones_are_dropped(store: Store) -> None:
    with store.write() as db:
        for number in range(5):
            audit.note(db, at_ms=number, who="ann" * 200, what=f"deed {number}", address="127.0.0.1")
        page = audit.newest_lines(db, 2)
        assert [line.what for line in page] == ["deed 4", "deed 3"]
        assert [line.what for line in audit.newest_lines(db, 2, page[-1].id)] == ["deed 2", "deed 1"]
        assert len(page[0].who) == 256
        assert audit.forget_lines(db, 3) == 3
        assert len(audit.newest_lines(db)) == 2


def test_tries_are_refused_past_the_limit_and_the_wait_is_right(store: Store) -> None:
    limit = attempts.Limit(3, 60_000)
    with store.write() as db:
        assert [attempts.attempt(db, "ann", limit, 1_000) for _ in range(5)] == [0, 0, 0, 20_000, 20_000]
        assert attempts.attempt(db, "bob", limit, 1_000) == 0
        assert attempts.attempt(db, "ann", limit, 20_999) == 1
        assert attempts.attempt(db, "ann", limit, 21_000) == 0
        assert attempts.attempt(db, "ann", limit, 21_000) == 20_000
        assert [attempts.attempt(db, "ann", limit, 500_000) for _ in range(4)] == [0, 0, 0, 20_000]
        attempts.forgive(db, "ann")
        assert attempts.attempt(db, "ann", limit, 500_000) == 0
        assert "ann" not in repr(db.execute(select(ATTEMPTS)).all())


def test_keys_that_have_paid_are_forgotten(store: Store) -> None:
    with store.write() as db:
        attempts.attempt(db, "ann", attempts.Limit(3, 60_000), 0)
        assert attempts.forget_attempts(db, 19_999) == 0
        assert attempts.forget_attempts(db, 20_000) == 1


def test_processes_side_by_side_share_one_limit(store: Store) -> None:
    limit, let_in = attempts.Limit(10, 60_000), []
    start = threading.Barrier(8)

    def tries() -> None:
        start.wait()
        for _ in range(5):
            with store.write() as db:
                let_in.append(attempts.attempt(db, "ann", limit, 1_000) == 0)

    threads = [threading.Thread(target=tries) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(let_in), sum(let_in)) == (40, 10)
