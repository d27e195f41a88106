-- Encoding and collation of the database: a copy must sort alike, or its plans differ.
-- needs: nothing
-- min: 15
-- columns: encoding, collate_name, ctype_name, provider, locale_name, database_bytes bytes, in_recovery
SELECT pg_encoding_to_char(d.encoding)::text AS encoding,
       d.datcollate::text AS collate_name,
       d.datctype::text AS ctype_name,
       CASE d.datlocprovider WHEN 'i' THEN 'icu' WHEN 'b' THEN 'builtin' ELSE 'libc' END AS provider,
       d.daticulocale::text AS locale_name,
       pg_database_size(d.oid) AS database_bytes,
       pg_is_in_recovery() AS in_recovery
  FROM pg_catalog.pg_database AS d
 WHERE d.datname = current_database()
