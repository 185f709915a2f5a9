/**
 * The version of a publication: which row of Postgres's catalogue it is, and which transaction wrote that. It is another one when the
 * publication was made anew or altered in what it publishes, and the same when tables join or leave it. Postgres says no other way that a
 * publication was something else for a while. It says no more, either: a new owner, or a SET that changes nothing, writes the row anew
 * as well, and whether something else was set and taken back meanwhile nobody can tell. So that counts as altered.
 */
export const PUBLICATION_VERSION_SQL = `p.oid::text || '.' || p.xmin::text`;

/**
 * Likewise of a table's membership, `r` of pg_publication_rel: another one when the table left and came back, or is published with other
 * rows or columns; NULL for one that is published with its schema or with all tables.
 */
export const MEMBERSHIP_VERSION_SQL = `r.oid::text || '.' || r.xmin::text`;
