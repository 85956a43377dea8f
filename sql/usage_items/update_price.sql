-- Write the price that tokens of an attempt have after it was looked up again.
--
-- returns: affected
-- param:   prompt_id    BINARY(16)   the prompt
-- param:   attempt      SMALLINT UNSIGNED how often it was started
-- param:   usage_type   VARCHAR(32)  what the tokens are: input, output ...
-- param:   frozen_price DECIMAL(30,18) NULL US dollars a token; NULL is not priced here
-- param:   type_cost    DECIMAL(38,18) NULL US dollars; NULL is not priced here
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   1
-- locks:   X,REC_NOT_GAP usage_items.PRIMARY
UPDATE usage_items
SET
    unit_price = :frozen_price,
    cost = :type_cost
WHERE
    prompt_id = :prompt_id
    AND attempt = :attempt
    AND usage_type = :usage_type
