-- Have a conversation that is locked found by its new owner.
--
-- returns: affected
-- param:   owner_id     BINARY(16)   the owner
-- param:   conversation_id BINARY(16)   the conversation
-- access:  n/a
-- deleted: n/a
-- index:   ix_prompt_postings_conversation
-- reads:   n/a: every posting of the conversation
-- locks:   X,REC_NOT_GAP prompt_postings.PRIMARY
-- locks:   X,REC_NOT_GAP prompt_postings.ix_prompt_postings_conversation
UPDATE prompt_postings FORCE INDEX (ix_prompt_postings_conversation)
SET
    scope = :owner_id
WHERE conversation_id = :conversation_id
