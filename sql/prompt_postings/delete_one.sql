-- Have a prompt of a conversation that is locked not found by its words any more.
--
-- returns: affected
-- param:   conversation_id BINARY(16)   the conversation
-- param:   search_terms BIGINT       hashes of the terms that are asked for
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- access:  n/a
-- deleted: n/a
-- index:   ix_prompt_postings_conversation
-- reads:   n/a: twice rows, and one for each term
-- locks:   X,REC_NOT_GAP prompt_postings.PRIMARY
-- locks:   X,REC_NOT_GAP prompt_postings.ix_prompt_postings_conversation
DELETE p
FROM prompt_postings AS p FORCE INDEX (ix_prompt_postings_conversation)
WHERE
    p.conversation_id = :conversation_id
    AND p.term IN :search_terms
    AND p.sequence_number = :sequence_number
