"""Links to conversations against plain dicts, under a moved clock: who gets in, and when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

import dal
from tests.properties.conftest import Own
from tests.properties.profiles import machine_settings
from tests.properties.test_template_versions import NOBODY, SYSTEM, Machine, picks

N_USERS: Final = 4
OWNER: Final = 0
MOST: Final = 6

anybody = st.integers(NOBODY, N_USERS - 1)
others = st.integers(1, N_USERS - 1)
hours = st.integers(1, 30)


@attrs.define
class Link:
    """A share as it should be. ``left`` are the views that it has, None for any number."""

    share: dal.Share
    token: dal.Secret
    creator: int
    through: int
    ends: datetime
    left: int | None
    for_users: bool
    revoked: bool = False
    views: int = 0


class ShareMachine(Machine):
    """One conversation of user 0, whom the others may help to share it."""

    def __init__(self, own: Own) -> None:
        super().__init__(own)
        self.links: list[Link] = []
        self.sharers: set[int] = {OWNER}
        self.there: set[int] = {OWNER}
        self.gone: set[int] = set()
        self.deleted = False
        self.n_prompts = 0

    @initialize()
    def begin(self) -> None:
        self.open(N_USERS)
        self.mine = self.session(OWNER)
        self.conversation = self.run(self.mine.conversations.create(title="shared"))

    @property
    def is_live(self) -> bool:
        return not self.deleted and OWNER not in self.gone

    def revoke(self, creator: int | None = None) -> int:
        valid = [x for x in self.links if not x.revoked and creator in (None, x.creator)]
        for link in valid:
            link.revoked = True
            link.ends = min(link.ends, self.clock.now())
        return len(valid)

    def refusal(self, actor: int, allowed: bool) -> type[dal.DalError] | None:
        if not self.is_live or (actor >= 0 and (actor not in self.there or actor in self.gone)):
            return dal.NotFoundError
        if actor == NOBODY:
            return dal.NotFoundError
        return None if actor >= 0 and allowed else dal.PermissionDeniedError

    # ------------------------------------------------------------------- rules

    @rule(by=hours)
    def time_passes(self, by: int) -> None:
        self.clock.move(timedelta(hours=by))

    @precondition(lambda self: len(self.links) < MOST)
    @rule(
        actor=anybody, for_users=st.booleans(), through=st.none() | st.integers(0, 3), last=hours,
        views=st.none() | st.integers(1, 2),
    )  # fmt: skip
    def share(
        self, actor: int, for_users: bool, through: int | None, last: int, views: int | None
    ) -> None:
        wanted = self.refusal(actor, actor in self.sharers)
        if wanted is None and through is not None and through > self.n_prompts:
            wanted = dal.ValueRejectedError
        call = self.session(actor).conversations.shares.create(
            self.conversation.id,
            scope="users" if for_users else "link",
            through_sequence=through,
            valid_for=timedelta(hours=last),
            max_views=views,
        )
        made = self.expect(wanted, call)
        if made is not None:
            shown = self.n_prompts if through is None else through
            ends = self.clock.now() + timedelta(hours=last)
            self.links.append(Link(made.share, made.token, actor, shown, ends, views, for_users))

    @precondition(lambda self: bool(self.links))
    @rule(n=picks, viewer=anybody)
    def open_link(self, n: int, viewer: int) -> None:
        link = self.links[n % len(self.links)]
        logged_in = viewer >= 0 and viewer not in self.gone
        opens = (
            self.is_live
            and not link.revoked
            and self.clock.now() < link.ends
            and link.left != 0
            and link.creator in self.sharers - self.gone
            and (logged_in or not link.for_users)
        )
        wanted = None if opens else dal.NotFoundError
        shown = self.expect(wanted, self.session(viewer).conversations.shares.open(link.token))
        if shown is not None:
            numbers = [prompt.sequence_number for prompt in shown.prompts.rows]
            assert numbers == list(range(1, link.through + 1))
            link.views += 1
            link.left = None if link.left is None else link.left - 1

    @precondition(lambda self: bool(self.links))
    @rule(n=picks, actor=anybody)
    def revoke_one(self, n: int, actor: int) -> None:
        link = self.links[n % len(self.links)]
        wanted = self.refusal(actor, actor in (OWNER, link.creator))
        call = self.session(actor).conversations.shares.revoke(link.share.id)
        if self.expect(wanted, _true(call)) and not link.revoked:
            link.revoked, link.ends = True, min(link.ends, self.clock.now())

    @rule(actor=anybody)
    def revoke_all(self, actor: int) -> None:
        wanted = self.refusal(actor, actor == OWNER)
        call = self.session(actor).conversations.shares.revoke_all(self.conversation.id)
        found = self.expect(wanted, call)
        assert found in (None, self.revoke() if found is not None else 0)

    @rule(actor=others)
    def revoke_mine(self, actor: int) -> None:
        wanted = dal.NotFoundError if actor in self.gone else None
        found = self.expect(wanted, self.session(actor).conversations.shares.revoke_mine())
        assert found in (None, self.revoke(actor) if wanted is None else 0)

    @precondition(lambda self: bool(self.links))
    @rule(n=picks, actor=anybody, last=hours, views=st.none() | st.integers(1, 3))
    def extend(self, n: int, actor: int, last: int, views: int | None) -> None:
        link = self.links[n % len(self.links)]
        wanted = self.refusal(actor, actor in (OWNER, link.creator) and actor in self.sharers)
        if wanted is None and link.revoked:
            wanted = dal.InvalidTransitionError
        call = self.session(actor).conversations.shares.extend(
            link.share.id, valid_for=timedelta(hours=last), max_views=views
        )
        if self.expect(wanted, call) is not None:
            link.ends = self.clock.now() + timedelta(hours=last)
            link.left = None if views is None else max(0, views - link.views)

    @rule(who=others, may=st.booleans())
    def may_share(self, who: int, may: bool) -> None:
        if not self.is_live or who in self.gone:
            return
        parts = self.mine.conversations.participants
        if who not in self.there:
            self.run(parts.add(self.conversation.id, self.users[who].id))
            self.there.add(who)
        self.run(
            parts.change_role(self.conversation.id, self.users[who].id, "viewer", can_share=may)
        )
        if may:
            self.sharers.add(who)
        elif who in self.sharers:
            self.sharers.discard(who)
            self.revoke(who)

    @rule(who=others)
    def take_out(self, who: int) -> None:
        if not self.is_live or who not in self.there or who in self.gone:
            return
        parts = self.mine.conversations.participants
        self.run(parts.remove(self.conversation.id, self.users[who].id))
        self.there.discard(who)
        if who in self.sharers:
            self.sharers.discard(who)
            self.revoke(who)

    @rule()
    def delete_or_restore(self) -> None:
        if OWNER in self.gone:
            return
        if self.deleted:
            self.run(self.mine.conversations.restore(self.conversation.id))
        else:
            self.run(self.mine.conversations.soft_delete(self.conversation.id))
            self.revoke()
        self.deleted = not self.deleted

    @rule(who=st.integers(0, N_USERS - 1))
    def user_goes_or_comes_back(self, who: int) -> None:
        users = self.session(SYSTEM).users
        if who in self.gone:
            self.run(users.restore(self.users[who].id))
            self.gone.discard(who)
        else:
            self.run(users.soft_delete(self.users[who].id))
            self.gone.add(who)

    @precondition(lambda self: self.is_live and self.n_prompts < 4)
    @rule()
    def ask(self) -> None:
        self.run(self.mine.prompts.create(self.conversation.id, user_input="?"))
        self.n_prompts += 1

    # -------------------------------------------------------------- invariants

    @invariant()
    def the_lists_show_who_may_share_what_there_is(self) -> None:
        if not hasattr(self, "conversation"):
            return
        expected = sorted(
            (link.share.id, link.ends, link.views, link.revoked) for link in self.links
        )
        if self.is_live:
            rows = self.run(self.session(SYSTEM).conversations.shares.list_of(self.conversation.id))
            assert expected == sorted(
                (row.id, row.expires_at, row.view_count, row.revoked_at is not None)
                for row in rows.rows
            )
        for who in range(N_USERS):
            shares = self.session(who).conversations.shares
            made = {link.share.id for link in self.links if link.creator == who}
            seen = self.is_live and who not in self.gone
            found = {row.id for row in self.run(shares.list_mine()).rows}
            assert found == (made if seen else set())
            if seen and who in self.there:
                rows = self.run(shares.list_of(self.conversation.id))
                assert len(rows.rows) == (len(self.links) if who in self.sharers else 0)


async def _true(work: object) -> bool:
    await work  # type: ignore[misc]
    return True


def test_a_link_opens_for_whom_and_as_long_as_it_is_to(own: Own) -> None:
    class OwnMachine(ShareMachine):
        def __init__(self) -> None:
            super().__init__(own)

    whole = machine_settings()
    # Its steps are cheap: one conversation, and short lists.
    many = settings(whole, max_examples=4 * whole.max_examples)
    run_state_machine_as_test(OwnMachine, settings=many)
