-- Create prices of models; the primary key decides between two who say one at once.
--
-- returns: affected
-- param:   model_name   VARCHAR(200) name of the model
-- param:   provider_name VARCHAR(100) who runs the model
-- param:   effective_from DATETIME(6) from when on the price is that
-- param:   usage_type   VARCHAR(32)  what the tokens are: input, output ...
-- param:   unit_price   DECIMAL(30,18) US dollars a token
-- param:   now          DATETIME(6)  time of the change
-- access:  n/a
-- deleted: n/a
-- index:   n/a
-- reads:   0
-- locks:   none
INSERT INTO model_prices
(model, provider, effective_from, usage_type, unit_price, created_at)
VALUES
(:model_name, :provider_name, :effective_from, :usage_type, :unit_price, :now)
