-- Have prompts of conversations that are locked found by their words.
--
-- returns: affected
-- param:   term         BIGINT       hash of a term, 63 bits
-- param:   scope        BINARY(16)   who may find by it: zeros is everybody, else whose it is
-- param:   impact       INT          what the term says of the document, in 1/65535
-- param:   conversation_id BINARY(16)   the conversation
-- param:   sequence_number INT UNSIGNED number in the conversation, from 1
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   S,REC_NOT_GAP conversations.PRIMARY
INSERT INTO prompt_postings
(term, scope, impact, conversation_id, sequence_number)
VALUES
(:term, :scope, :impact, :conversation_id, :sequence_number)
