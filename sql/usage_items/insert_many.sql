-- Record the tokens of an attempt by type, with the prices that they had.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   usage_type   VARCHAR(32)  what the tokens are: input, output ...
-- param:   type_tokens  BIGINT       tokens of the type
-- param:   frozen_price DECIMAL(30,18) NULL US dollars a token; NULL is not priced here
-- param:   type_cost    DECIMAL(38,18) NULL US dollars; NULL is not priced here
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO usage_items
(prompt_id, attempt, usage_type, token_count, unit_price, cost)
VALUES
(:prompt_id, :attempt, :usage_type, :type_tokens, :frozen_price, :type_cost)
