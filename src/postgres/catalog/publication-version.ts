/**
 * The version of a publication: which row of Postgres's catalogue it is, and which transaction wrote that. It is another one when the
 * publication was made anew or altered in what it publishes, and the same when tables join or leave it. Postgres says no other way that a
 * publication was something else for a while.
 */
export const PUBLICATION_VERSION_SQL = `p.oid::text || '.' || p.xmin::text`;
