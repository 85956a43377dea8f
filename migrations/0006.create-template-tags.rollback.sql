-- transactional: false
DROP TABLE template_tags;
