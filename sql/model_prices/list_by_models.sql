-- List all prices of these models, of all times.
--
-- returns: many ModelPrice
-- param:   model_names  VARCHAR(200) names of models
-- access:  n/a
-- deleted: n/a
-- index:   PRIMARY
-- reads:   rows
-- locks:   none
SELECT
    m.model AS model,
    m.provider AS provider,
    m.effective_from AS effective_from,
    m.usage_type AS usage_type,
    m.unit_price AS unit_price
FROM model_prices AS m
WHERE m.model IN :model_names
ORDER BY m.model, m.provider, m.effective_from, m.usage_type
LIMIT 1000000
