/**
 * ReplicationRight: which may not replicate of the role that connects, and the one that it takes as it comes (`ALTER ROLE … SET role`).
 * Postgres asks for the right of the first when a stream is opened, and for that of the second when a slot is made.
 *
 * Managed services give the right by membership in a role of theirs, not by the attribute.
 */
export const NOT_REPLICATING_SQL = `(
  SELECT r.rolname FROM pg_catalog.pg_roles r
   WHERE r.rolname IN (session_user, current_user) AND NOT (r.rolreplication OR r.rolsuper) AND NOT EXISTS (
     SELECT FROM pg_catalog.pg_roles managed WHERE managed.rolname = 'rds_replication' AND pg_has_role(r.oid, managed.oid, 'member'))
   ORDER BY r.rolname = current_user LIMIT 1)`;
