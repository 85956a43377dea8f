-- transactional: false
DROP TABLE template_label_moves;
