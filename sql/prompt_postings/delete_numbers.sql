-- Have prompts of a conversation that is locked found by no word any more.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_numbers INT UNSIGNED numbers of the prompts in the conversation
-- access:  n/a
-- deleted: n/a
-- index:   ix_prompt_postings_conversation
-- reads:   n/a: all postings of the conversation
-- locks:   X,REC_NOT_GAP prompt_postings.PRIMARY
-- locks:   X,REC_NOT_GAP prompt_postings.ix_prompt_postings_conversation
DELETE FROM prompt_postings
WHERE
    conversation_id = :conversation_id
    AND sequence_number IN :sequence_numbers
