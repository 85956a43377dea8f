"""What people think of answers."""

from __future__ import annotations

from uuid import UUID

from dal.gateways import UsageRecordsGateway
from dal.records.new_prompts import checked_feedback, checked_rating
from dal.records.prompts import PromptStatus
from dal.repositories.base import changing, part
from dal.repositories.prompts.rules import TARGET, PromptRules, no_prompt, no_step

__all__ = ["PromptRatings"]


@part("prompts.ratings")
class PromptRatings(PromptRules):
    """Ratings of answers: ``me.prompts.ratings``. An answer has one, the last that was given, by
    who takes part and may write, or the system; the audit log says whose it was.
    """

    @changing
    async def set(self, prompt_id: UUID, rating: int, *, feedback: str | None = None) -> None:
        """Rate an answer, with a reason or without.

        Args:
            rating: 1 to 5.
            feedback: up to 65,535 bytes.

        Raises:
            InvalidTransitionError: it is not completed: there is no answer to rate.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: a field cannot be stored; ``field`` names it.
        """
        given, why = checked_rating(rating), checked_feedback(feedback)
        await self._write("prompt.rate", prompt_id, given, why)

    @changing
    async def clear(self, prompt_id: UUID) -> None:
        """Take a rating back, and its reason with it.

        Raises:
            As :meth:`set`.
        """
        await self._write("prompt.clear_rating", prompt_id, None, None)

    async def _write(
        self, action: str, prompt_id: UUID, rating: int | None, feedback: str | None
    ) -> None:
        work = await self._work(action, prompt_id)
        now = self._scope.clock.now()
        if not await self._prompts.update_rating(
            prompt_id=work.id,
            prompt_rating=rating,
            feedback=feedback,
            rated_at=None if rating is None else now,
        ):
            found = await self._prompts.find_work(prompt_id=prompt_id, **self._reader)
            if found is None:
                raise no_prompt()
            raise no_step(found.status, PromptStatus.COMPLETED, "there is no answer to rate")
        # Beside what the answer took, for rankings; what came in from elsewhere took nothing here.
        await UsageRecordsGateway(self._scope).update_rating(
            prompt_id=work.id, attempt=work.attempt, prompt_rating=rating
        )
        changes = {"rating": {"from": None, "to": rating}}
        await self._audit.write(action, TARGET, prompt_id, changes=changes, at=now)
