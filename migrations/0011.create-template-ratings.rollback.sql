-- transactional: false
DROP TABLE template_ratings;
