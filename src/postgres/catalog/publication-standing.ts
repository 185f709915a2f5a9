/** PublicationStanding: how tables stand towards a publication, many by one question. Nothing is locked or altered. */
import type pg from 'pg';
import type { PublishedRelation } from '../../model/relation.ts';
import { publicationIncomplete, publicationMissing } from './publication-refusal.ts';

export interface PublicationStanding {
  readonly relation: PublishedRelation;
  /** The table of that name is the one that is meant. */
  readonly isThere: boolean;
  readonly isPartitioned: boolean;
  readonly isPublished: boolean;
  /** Ordinary tables, itself or its partitions, whose replica identity is not FULL. */
  readonly notFull: readonly Pick<PublishedRelation, 'schema' | 'name'>[];
  /**
   * Generated columns that the publication does not carry. From Postgres 18 on, nobody can update or delete rows of a published
   * table whose replica identity holds such a column.
   */
  readonly uncarried: readonly string[];
}

interface Row {
  readonly oid: number | null;
  readonly kind: string | null;
  readonly published: boolean;
  readonly complete: boolean | null;
  readonly not_full: PublicationStanding['notFull'];
  readonly uncarried: readonly string[];
}

/** A table is published as a member, or with all tables, or with its schema. Before Postgres 18 there is no `pubgencols`. */
const STANDINGS_SQL = `
  SELECT c.oid::int8::float8 AS oid, c.relkind AS kind, r.oid IS NOT NULL OR t.tablename IS NOT NULL AS published,
         p.pubinsert AND p.pubupdate AND p.pubdelete AND p.pubtruncate AS complete,
         (SELECT coalesce(json_agg(json_build_object('schema', ln.nspname, 'name', l.relname) ORDER BY l.oid), '[]')
          FROM (SELECT c.oid AS relid UNION SELECT relid FROM pg_partition_tree(c.oid)) tree
          JOIN pg_class l ON l.oid = tree.relid AND l.relkind = 'r' AND l.relreplident <> 'f'
          JOIN pg_namespace ln ON ln.oid = l.relnamespace) AS not_full,
         ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND NOT a.attisdropped
               AND (a.attgenerated = 'v' OR a.attgenerated = 's' AND to_jsonb(p) ->> 'pubgencols' = 'n') ORDER BY a.attnum) AS uncarried
  FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS meant (schema, name, place)
  LEFT JOIN pg_namespace n ON n.nspname = meant.schema
  LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = meant.name AND c.relkind IN ('r', 'p')
  LEFT JOIN pg_publication p ON p.pubname = $1
  LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid = c.oid
  LEFT JOIN pg_publication_tables t ON t.pubname = $1 AND t.schemaname = meant.schema AND t.tablename = meant.name
  ORDER BY meant.place`;

/**
 * @returns one for each of `relations`, in their order.
 * @throws {PublicationRefusedError} when there is no publication that they could be in.
 */
export async function standingsOf(
  client: pg.PoolClient,
  publication: string,
  relations: readonly PublishedRelation[],
): Promise<PublicationStanding[]> {
  const [schemas, names] = [relations.map(({ schema }) => schema), relations.map(({ name }) => name)];
  const { rows } = await client.query<Row>(STANDINGS_SQL, [publication, schemas, names]);
  return rows.flatMap((row, index) => {
    const relation = relations[index];
    return relation === undefined ? [] : [standingOf(publication, relation, row)];
  });
}

function standingOf(publication: string, relation: PublishedRelation, row: Row): PublicationStanding {
  const { oid, kind, published, complete, not_full: notFull, uncarried } = row;
  if (complete === null) throw publicationMissing(publication);
  if (!complete) throw publicationIncomplete(publication);
  return { relation, isThere: oid === relation.oid, isPartitioned: kind === 'p', isPublished: published, notFull, uncarried };
}
