SELECT count(*), coalesce(max(at_ms), 0) FROM view_document WHERE kind IN ('protocol', 'glossary', 'policy')
