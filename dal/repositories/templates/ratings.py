"""What users think of templates."""

from __future__ import annotations

from uuid import UUID

from dal.errors import NotFoundError, ValueRejectedError
from dal.gateways import TemplateRatingsGateway
from dal.records.ids import check_id
from dal.records.page import Page, check_limit, page_of, start_by_time
from dal.records.templates import RatingDistribution, TemplateRating
from dal.records.text import optional_text
from dal.repositories.base import changing, part
from dal.repositories.templates.rules import TARGET, TemplateRules, absent
from dal.session import Scope

__all__ = ["TemplateRatings"]


@part("templates.ratings")
class TemplateRatings(TemplateRules):
    """Ratings of a template: ``me.templates.ratings``, one of each user who sees it."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope)
        self._ratings = TemplateRatingsGateway(scope)

    @changing
    async def set(
        self, template_id: UUID, rating: int, *, feedback: str | None = None
    ) -> TemplateRating:
        """Say what the actor thinks of a template that they may see, in the place of what they
        said before. The same again is no change.

        Args:
            rating: 1 to 5.
            feedback: why, up to 65,535 bytes.

        Raises:
            NotFoundError: no such live template for this actor.
            PermissionDeniedError: the actor is no user, or a viewer.
            ValueRejectedError: an argument cannot be; ``field`` names it.
        """
        check_id("template_id", template_id)
        if type(rating) is not int or not 1 <= rating <= 5:
            raise ValueRejectedError("rating: 1 to 5", field="rating")
        optional_text("feedback", feedback, max_bytes=65_535)
        action = "template.rate"
        actor_id = await self._lock_ratable(action, template_id)
        before = await self._ratings.lock_own(template_id=template_id, actor_id=actor_id)
        now = self._scope.clock.now()
        if before is None:
            await self._ratings.insert(
                template_id=template_id,
                user_id=actor_id,
                rating=rating,
                feedback=feedback,
                now=now,
            )
            after = TemplateRating(template_id, actor_id, rating, feedback, now, now)
        elif (before.rating, before.feedback) == (rating, feedback):
            return before
        else:
            await self._ratings.update_own(
                template_id=template_id,
                actor_id=actor_id,
                rating=rating,
                feedback=feedback,
                now=now,
            )
            after = TemplateRating(
                template_id,
                actor_id,
                rating,
                feedback,
                before.created_at,
                max(now, before.updated_at),
            )
        old = None if before is None else before.rating
        if old != rating:
            await self._templates.update_rating(
                template_id=template_id,
                rating_change=rating - (old or 0),
                count_change=0 if before is not None else 1,
            )
        await self._audit.write(
            action, TARGET, template_id, changes={"rating": {"from": old, "to": rating}}, at=now
        )
        return after

    @changing
    async def remove(self, template_id: UUID) -> None:
        """Take back what the actor said of a template.

        Raises:
            NotFoundError: no such live template for this actor, or not rated by them.
            PermissionDeniedError: the actor is no user, or a viewer.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        action = "template.remove_rating"
        actor_id = await self._lock_ratable(action, template_id)
        before = await self._ratings.lock_own(template_id=template_id, actor_id=actor_id)
        if before is None:
            raise NotFoundError("not rated by this actor")
        await self._ratings.delete_own(template_id=template_id, actor_id=actor_id)
        await self._templates.update_rating(
            template_id=template_id, rating_change=-before.rating, count_change=-1
        )
        await self._audit.write(
            action,
            TARGET,
            template_id,
            changes={"rating": {"from": before.rating, "to": None}},
        )

    async def _lock_ratable(self, action: str, template_id: UUID) -> UUID:
        """Lock the acting user, and then the template, which they may see."""
        self._refuse_viewer(action, template_id)
        if not await self._is_there(template_id):
            raise absent()
        actor_id = self._scope.actor.id
        if actor_id is None:
            self._deny(action, TARGET, template_id, "templates are rated by users")
        if await self._users.lock_live(user_id=actor_id) is None:
            raise absent()
        row = await self._templates.lock_visible(template_id=template_id, actor_id=actor_id)
        if row is None:
            raise absent()
        return actor_id

    async def find_mine(self, template_id: UUID) -> TemplateRating | None:
        """What the actor thinks of a template that they may see, or None.

        Raises:
            PermissionDeniedError: the actor is no user.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        actor_id = self._user("templates are rated by users")
        return await self._ratings.find_own(template_id=template_id, actor_id=actor_id)

    async def list_of(
        self, template_id: UUID, *, limit: int = 50, after: str | None = None
    ) -> Page[TemplateRating]:
        """What live users think of a template, last changed first.

        Raises:
            NotFoundError: no such template for this actor.
            ValueRejectedError: ``template_id``, ``limit`` or ``after``.
        """
        name = f"templates.list_ratings:{check_id('template_id', template_id)}"
        at, last = start_by_time(name, after)
        rows = await self._ratings.list_by_template(
            template_id=template_id,
            before_at=at,
            before_id=last,
            limit_rows=check_limit(limit) + 1,
            **self._reader,
        )
        if not rows and not await self._is_there(template_id):
            raise absent()
        return page_of(name, rows, limit, lambda row: (row.updated_at, row.user_id))

    async def get_distribution(self, template_id: UUID) -> RatingDistribution:
        """How many live users gave a template each rating.

        Raises:
            NotFoundError: no such template for this actor.
            ValueRejectedError: ``template_id`` is no UUID.
        """
        check_id("template_id", template_id)
        found = await self._ratings.find_distribution(template_id=template_id, **self._reader)
        if found is None:
            raise absent()
        return found
