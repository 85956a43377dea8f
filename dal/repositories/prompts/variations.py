"""Variations of a prompt: other answers to it, or other ways to ask, side by side."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from difflib import unified_diff
from typing import Any, Final
from uuid import UUID

from dal.errors import ValueRejectedError
from dal.records.ids import check_id, new_id
from dal.records.new_prompts import NewPrompt
from dal.records.prompts import ComparedVariation, Prompt, PromptRow
from dal.repositories.base import changing, part
from dal.repositories.prompts.creation import Beside, PromptCreation
from dal.repositories.prompts.rules import TARGET, PromptRules, no_prompt

__all__ = ["MAX_VARIATIONS", "PromptVariations"]

MAX_VARIATIONS: Final = 1_000
"""The most variations of one prompt, the deleted ones too."""


@part("prompts.variations")
class PromptVariations(PromptRules):
    """Variations: ``me.prompts.variations``.

    Variations follow the same prompt and have numbers 1, 2, 3 in their group. One of them at most
    is selected: the first one until another is. A selected one that is deleted leaves none.
    """

    @changing
    async def create(
        self,
        prompt_id: UUID,
        *,
        user_input: str | None = None,
        system_prompt: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        settings: Mapping[str, Any] | None = None,
        max_attempts: int | None = None,
        idempotency_key: str | None = None,
        id: UUID | None = None,  # noqa: A002
    ) -> Prompt:
        """Ask again, beside a prompt: pending, as the prompt was asked but for what is said here.

        The conversation stands where it stood; :meth:`select` goes on with another one.

        Args:
            model: with it the provider is the one that is said, or none.

        Raises:
            InvalidTransitionError: the conversation is completed or archived.
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            UniqueError: the id is taken, or the key by a prompt that is deleted.
            ValueRejectedError: a field cannot be stored; ``field`` names it. Or the prompt has
                1,000 variations.
        """
        action = "prompt.create_variation"
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        if found is None:
            raise no_prompt()
        if not row.can_write:
            self._deny(action, TARGET, prompt_id, "only who may write adds prompts")
        first = await self._get(prompt_id)
        new = NewPrompt(
            user_input=first.user_input if user_input is None else user_input,
            system_prompt=first.system_prompt if system_prompt is None else system_prompt,
            provider=first.provider if provider is None and model is None else provider,
            model=first.model if model is None else model,
            settings=first.settings if settings is None else settings,
            max_attempts=first.max_attempts if max_attempts is None else max_attempts,
            template_id=first.template_id,
            template_version=first.template_version,
            idempotency_key=idempotency_key,
            id=id,
        )
        creation = PromptCreation(self._scope)
        before = await creation.made_before(row, new)
        if before is not None:
            return before
        group_id = await self._group(found)
        last = await self._prompts.find_last_variation(group_id=group_id) or 0
        if last >= MAX_VARIATIONS:
            raise ValueRejectedError(
                f"prompt_id: it has {MAX_VARIATIONS:,} variations", field="prompt_id"
            )
        beside = Beside(group_id, last + 1, found.parent_sequence)
        made = await creation.insert(action, row, new, first.template_version, beside)
        await self._conversations.update_active(
            conversation_id=row.id, active_sequence=row.active_sequence
        )
        return made

    async def list_of(self, prompt_id: UUID) -> tuple[Prompt, ...]:
        """The live variations of a prompt in the order of their numbers, itself among them; empty
        where it has none.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id`` is no UUID.
        """
        check_id("prompt_id", prompt_id)
        found = await self._prompts.list_variations(prompt_id=prompt_id, **self._reader)
        if not found:
            await self._get(prompt_id)
        return tuple(found)

    async def compare(self, prompt_id: UUID, *, context: int = 3) -> tuple[ComparedVariation, ...]:
        """The variations of a prompt side by side, each with what its answer has that the one of
        the selected has not: a unified diff, empty where they are the same. Where none is selected
        the first is taken.

        Args:
            context: lines around what differs, 0 to 1,000.

        Raises:
            NotFoundError: no such live prompt for this actor.
            ValueRejectedError: ``prompt_id`` or ``context``.
        """
        if type(context) is not int or not 0 <= context <= 1_000:
            raise ValueRejectedError("context: a whole number, 0 to 1,000", field="context")
        found = await self.list_of(prompt_id)
        return await asyncio.to_thread(_compared, found, context)

    @changing
    async def select(self, prompt_id: UUID) -> None:
        """Have a prompt be the one of its variations that counts.

        Where the conversation stands at another one of them, it stands at this one then.

        Raises:
            NotFoundError: no such live prompt for this actor.
            PermissionDeniedError: the actor may not write.
            ValueRejectedError: ``prompt_id`` is no UUID, or the prompt has no variations.
        """
        action = "prompt.select_variation"
        row = await self._lock_conversation_of(action, prompt_id)
        found = await self._prompts.lock_live(prompt_id=prompt_id)
        if found is None:
            raise no_prompt()
        if not row.can_write:
            self._deny(action, TARGET, prompt_id, "only who may write selects")
        if found.variation_group is None:
            raise ValueRejectedError("prompt_id: it has no variations", field="prompt_id")
        group_id = found.variation_group
        await self._prompts.deselect_variation(group_id=group_id)
        await self._prompts.select_variation(prompt_id=prompt_id)
        places = await self._prompts.list_variation_places(group_id=group_id)
        if row.active_sequence in {place.sequence_number for place in places}:
            await self._conversations.update_active(
                conversation_id=row.id, active_sequence=found.sequence_number
            )
        changes = {"is_selected": {"from": None, "to": True}}
        await self._audit.write(action, TARGET, prompt_id, changes=changes)

    async def _group(self, prompt: PromptRow) -> UUID:
        """The group of a locked prompt; it begins one where it has none."""
        if prompt.variation_group is None:
            group_id = new_id(self._scope.clock.now())
            await self._prompts.start_variations(prompt_id=prompt.id, group_id=group_id)
            return group_id
        return prompt.variation_group


def _compared(variations: Sequence[Prompt], context: int) -> tuple[ComparedVariation, ...]:
    if not variations:
        return ()
    base = next((one for one in variations if one.is_selected), variations[0])
    return tuple(
        ComparedVariation(
            prompt=one,
            diff="\n".join(
                unified_diff(
                    (base.response or "").split("\n"),
                    (one.response or "").split("\n"),
                    f"variation {base.variation_number}",
                    f"variation {one.variation_number}",
                    n=context,
                    lineterm="",
                )
            ),
        )
        for one in variations
    )
