-- transactional: false
-- ddl: mariadb: new table, no rows to copy
-- ddl: mysql: new table, no rows to copy
CREATE TABLE template_labels (
    template_id BINARY(16) NOT NULL,
    label VARCHAR(100) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL
    COMMENT 'trimmed, NFC, case-folded; never latest, which is the newest version',
    version INT UNSIGNED NOT NULL,
    moved_by BINARY(16) NOT NULL,
    moved_at DATETIME(6) NOT NULL,
    CONSTRAINT pk_template_labels PRIMARY KEY (template_id, label)
    COMMENT 'a label is on one version of a template at most',
    CONSTRAINT fk_template_labels_version FOREIGN KEY (template_id, version)
    REFERENCES template_versions (template_id, version)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    CONSTRAINT fk_template_labels_moved_by FOREIGN KEY (moved_by) REFERENCES users (id)
    ON DELETE RESTRICT ON UPDATE RESTRICT,
    KEY ix_template_labels_version (template_id, version)
    COMMENT 'fk_template_labels_version: a version that is labelled stays',
    KEY ix_template_labels_moved_by (moved_by) COMMENT 'fk_template_labels_moved_by',
    KEY ix_template_labels_label (label, template_id)
    COMMENT 'templates that carry a label, in the search'
) ENGINE = InnoDB ROW_FORMAT = DYNAMIC
DEFAULT CHARACTER SET = utf8mb4 COLLATE = utf8mb4_unicode_520_ci;
