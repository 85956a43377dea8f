-- Count templates, versions, credited authors and tags in use, for the system.
--
-- returns: one TemplateStatistics
-- access:  system
-- deleted: excluded
-- index:   full scan: numbers of everything, for operators
-- reads:   n/a: every row of four tables
-- locks:   none
SELECT
    COUNT(*) AS templates,
    COALESCE(SUM(t.visibility = 'public'), 0) AS public,
    COALESCE(SUM(t.visibility = 'private'), 0) AS private,
    (
        SELECT COUNT(*)
        FROM templates AS d
        WHERE d.deleted_at IS NOT NULL
    ) AS deleted,
    COALESCE(SUM(t.head_version), 0) AS versions,
    COUNT(DISTINCT CAST(t.author_name AS BINARY)) AS authors,
    (
        SELECT COUNT(DISTINCT tt.tag_id)
        FROM template_tags AS tt
        INNER JOIN templates AS l
            ON
                tt.template_id = l.id
                AND l.deleted_at IS NULL
        INNER JOIN users AS lo
            ON
                l.owner_id = lo.id
                AND lo.deleted_at IS NULL
    ) AS tags
FROM templates AS t
INNER JOIN users AS o
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE t.deleted_at IS NULL
