/** PublicationStanding: how tables stand towards a publication, many by one question. Nothing is locked or altered. */
import type pg from 'pg';
import type { FoundLink } from '../../model/partition-tree.ts';
import type { PublishedRelation } from '../../model/relation.ts';
import { TABLES_SQL, TREE_SQL, type TreeRow, treeOf } from './partitions.ts';
import { publicationIncomplete, publicationMissing } from './publication-refusal.ts';
import { MEMBERSHIP_VERSION_SQL, PUBLICATION_VERSION_SQL } from './publication-version.ts';
import { PUBLISHED_SCHEMAS_SQL, publishedTablesSql } from './published-tables.ts';
import { LOOK_VERSION_SQL } from './table-facts.ts';

export interface PublicationStanding {
  readonly relation: PublishedRelation;
  /** The table of that name is the one that is meant. */
  readonly isThere: boolean;
  readonly isPartitioned: boolean;
  /** All that is below it. */
  readonly tree: readonly FoundLink[];
  /** Itself, or with the whole database or schema: one that is published as a part of another table goes with that one. */
  readonly isPublished: boolean;
  /** It is published with a table above it, which an operator may have done: nothing is lost, as long as that one stays. */
  readonly isCarried: boolean;
  /** Its changes are told under the name of the root of its tree. */
  readonly isToldAsRoot: boolean;
  /** A partition of which the stream tells nothing: a foreign table, or one that is not logged. */
  readonly untold: string | null;
  /** Itself or its partitions, of which somebody publishes some rows or some columns alone: of the others the stream tells nothing. */
  readonly inPart: readonly Pick<PublishedRelation, 'schema' | 'name'>[];
  /** Ordinary tables, itself or its partitions, whose replica identity is not FULL. */
  readonly notFull: readonly Pick<PublishedRelation, 'schema' | 'name'>[];
  /**
   * Generated columns that the publication does not carry. From Postgres 18 on, nobody can update or delete rows of a published
   * table whose replica identity holds such a column.
   */
  readonly uncarried: readonly string[];
  /** Of the publication. */
  readonly version: string;
  /** Of the table's own membership in it; null where it has none. */
  readonly membership: string | null;
  /** Another text when the table may be another than before; null where it is not there. */
  readonly look: string | null;
}

interface Row {
  readonly oid: number | null;
  readonly kind: string | null;
  readonly published: boolean;
  readonly carried: boolean;
  readonly as_root: boolean;
  readonly untold: string | null;
  readonly tree: readonly TreeRow[];
  readonly complete: boolean | null;
  readonly in_part: PublicationStanding['inPart'];
  readonly not_full: PublicationStanding['notFull'];
  readonly uncarried: readonly string[];
  readonly version: string;
  readonly membership: string | null;
  readonly look: string | null;
}

/** The operator may publish a partition with a table above it. Else that one may leave the publication, and the partition would with it. */
const MEMBER_ABOVE = `
  EXISTS (SELECT FROM pg_partition_ancestors(c.oid) above JOIN pg_publication_rel m ON m.prpubid = p.oid AND m.prrelid = above.relid)`;
/** A partitioned table stands in no list of Postgres's but its own: all that is below it does. */
const ALL_BELOW = `
  (SELECT count(*) > 0 AND bool_and(EXISTS (SELECT FROM listed b WHERE b.relid = below.oid))
   FROM ${TABLES_SQL} JOIN pg_class below ON below.oid = tree.relid AND below.relkind = 'r')`;

/**
 * Found once for all tables, since there are none as a rule: to ask each member in the view of each table is quadratic. A member whose
 * schema is in the publication as well is published whole, whatever filter it has.
 */
const MEMBERS_IN_PART = `
  SELECT member.prrelid AS oid FROM pg_publication_rel member JOIN pg_publication owner ON owner.oid = member.prpubid
  JOIN pg_class own ON own.oid = member.prrelid
  WHERE owner.pubname = $1 AND coalesce(to_jsonb(member) ->> 'prqual', to_jsonb(member) ->> 'prattrs') IS NOT NULL
    AND NOT EXISTS (
      SELECT FROM ${PUBLISHED_SCHEMAS_SQL} WHERE published_schemas.pubid = owner.oid AND published_schemas.nspid = own.relnamespace)`;
/** Before Postgres 15 nothing is published in part. */
const IN_PART = `
  CASE WHEN EXISTS (SELECT FROM members_in_part) THEN
    (SELECT coalesce(json_agg(json_build_object('schema', fn.nspname, 'name', f.relname) ORDER BY f.oid), '[]')
     FROM members_in_part JOIN pg_class f ON f.oid = members_in_part.oid JOIN pg_namespace fn ON fn.oid = f.relnamespace
     WHERE f.oid IN (SELECT tree.relid FROM ${TABLES_SQL}))
  ELSE '[]' END`;

/** A table is published as a member, or with all tables, or with its schema. Before Postgres 18 there is no `pubgencols`. */
const STANDINGS_SQL = `
  WITH members_in_part AS MATERIALIZED (${MEMBERS_IN_PART}),
    listed AS MATERIALIZED (SELECT relid FROM ${publishedTablesSql('p.pubname = $1')})
  SELECT c.oid::int8::float8 AS oid, c.relkind AS kind,
         CASE WHEN r.oid IS NOT NULL OR p.puballtables AND pg_relation_is_publishable(c.oid) THEN true
              WHEN $4 THEN t.relid IS NOT NULL OR c.relkind = 'p' AND (${MEMBER_ABOVE} OR ${ALL_BELOW})
              ELSE t.relid IS NOT NULL AND NOT ${MEMBER_ABOVE} END AS published,
         t.relid IS NOT NULL AND ${MEMBER_ABOVE} AS carried,
         coalesce(p.pubviaroot AND (c.relkind = 'p' OR c.relispartition), false) AS as_root,
         (SELECT min(u.oid::regclass::text) FROM ${TABLES_SQL}
          JOIN pg_class u ON u.oid = tree.relid AND (u.relkind = 'f' OR u.relpersistence <> 'p') WHERE c.relkind = 'p') AS untold,
         (${TREE_SQL}) AS tree,
         p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS complete, ${PUBLICATION_VERSION_SQL} AS version,
         ${MEMBERSHIP_VERSION_SQL} AS membership, CASE WHEN c.oid IS NOT NULL THEN ${LOOK_VERSION_SQL} END AS look, ${IN_PART} AS in_part,
         (SELECT coalesce(json_agg(json_build_object('schema', ln.nspname, 'name', l.relname) ORDER BY l.oid), '[]')
          FROM ${TABLES_SQL} JOIN pg_class l ON l.oid = tree.relid AND l.relkind = 'r' AND l.relreplident <> 'f'
          JOIN pg_namespace ln ON ln.oid = l.relnamespace) AS not_full,
         ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
               AND (a.attgenerated = 'v' OR a.attgenerated = 's' AND to_jsonb(p) ->> 'pubgencols' = 'n') ORDER BY a.attnum) AS uncarried
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS meant (schema, name, place)
  LEFT JOIN pg_namespace n ON n.nspname = meant.schema
  LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = meant.name AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_publication p ON p.pubname = $1
  LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
  LEFT JOIN listed t ON t.relid = c.oid
  ORDER BY meant.place`;

/**
 * @returns one for each of `relations`, in their order.
 * @throws {PublicationRefusedError} when there is no publication that they could be in.
 */
export async function standingsOf(
  client: pg.PoolClient,
  publication: string,
  relations: readonly PublishedRelation[],
  isManual: boolean,
): Promise<PublicationStanding[]> {
  const [schemas, names] = [relations.map(({ schema }) => schema), relations.map(({ name }) => name)];
  const { rows } = await client.query<Row>(STANDINGS_SQL, [publication, schemas, names, isManual]);
  return rows.flatMap((row, index) => {
    const relation = relations[index];
    return relation === undefined ? [] : [standingOf(publication, relation, row)];
  });
}

function standingOf(publication: string, relation: PublishedRelation, row: Row): PublicationStanding {
  const { oid, kind, published, carried, as_root: isToldAsRoot, tree, complete, not_full: notFull, in_part: inPart } = row;
  const { untold, uncarried, version, membership, look } = row;
  if (complete === null) throw publicationMissing(publication);
  if (!complete) throw publicationIncomplete(publication);
  return {
    relation, isThere: oid === relation.oid, isPartitioned: kind === 'p', tree: treeOf(tree), isPublished: published, isCarried: carried,
    isToldAsRoot, untold, inPart, notFull, uncarried, version, membership, look,
  };
}

/** With the memberships that there are now, once tables have joined. */
export async function joined(
  client: pg.PoolClient,
  publication: string,
  standings: readonly PublicationStanding[],
): Promise<readonly PublicationStanding[]> {
  const oids = standings.map(({ relation: { oid } }) => oid);
  const { rows } = await client.query<{ oid: number; membership: string }>(MEMBERSHIPS_SQL, [publication, oids]);
  const membershipOf = new Map(rows.map(({ oid, membership }) => [oid, membership]));
  return standings.map((standing) => ({ ...standing, membership: membershipOf.get(standing.relation.oid) ?? null }));
}

const MEMBERSHIPS_SQL = `
  SELECT r.prrelid::int8::float8 AS oid, ${MEMBERSHIP_VERSION_SQL} AS membership
  FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE p.pubname = $1 AND r.prrelid = ANY ($2::oid[])`;
