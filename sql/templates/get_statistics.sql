-- Count templates, versions, ratings, uses and what is in use, for the system.
--
-- returns: one TemplateStatistics
-- access:  system
-- deleted: included
-- index:   full scan: numbers of everything, for operators
-- reads:   n/a: every row of five tables
-- locks:   none
SELECT
    COUNT(*) AS templates,
    COUNT(CASE WHEN t.visibility = 'public' THEN 1 END) AS public,
    COUNT(CASE WHEN t.visibility = 'private' THEN 1 END) AS private,
    COALESCE((
        SELECT COUNT(*)
        FROM templates AS d
        INNER JOIN users AS od FORCE INDEX (PRIMARY)
            ON
                d.owner_id = od.id
                AND od.deleted_at IS NULL
        WHERE
            d.deleted_at IS NOT NULL
    ), 0) AS deleted,
    CAST(COALESCE(SUM((
        SELECT COUNT(*)
        FROM template_versions AS v
        WHERE v.template_id = t.id
    )), 0) AS SIGNED) AS versions,
    COUNT(DISTINCT CAST(t.author_name AS BINARY)) AS authors,
    COALESCE((
        SELECT COUNT(DISTINCT tt.tag_id)
        FROM template_tags AS tt
        INNER JOIN templates AS l
            ON
                tt.template_id = l.id
                AND l.deleted_at IS NULL
        INNER JOIN users AS lo FORCE INDEX (PRIMARY)
            ON
                l.owner_id = lo.id
                AND lo.deleted_at IS NULL
    ), 0) AS tags,
    CAST(COALESCE(SUM(t.rating_count), 0) AS SIGNED) AS ratings,
    CAST(COALESCE(SUM(t.rating_sum), 0) AS SIGNED) AS rating_sum,
    CAST(COALESCE(SUM(t.use_count), 0) AS SIGNED) AS uses,
    COUNT(CASE WHEN t.use_count = 0 THEN 1 END) AS never_used
FROM templates AS t
INNER JOIN users AS o FORCE INDEX (PRIMARY)
    ON
        t.owner_id = o.id
        AND o.deleted_at IS NULL
WHERE
    t.deleted_at IS NULL
