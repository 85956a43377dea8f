-- transactional: false
DROP TABLE model_prices;
