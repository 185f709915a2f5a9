/**
 * PublicationPort: the process that alters the publication, for the publication manager.
 *
 * - `reviewRelations { relations }` → `publication.reviewed { faults, turns }`
 * - `addRelations { relations }` → `publication.altered { added, turns }`, `added` were not carried before; or
 *   `publication.refused { error }`, and none of them is
 * - `dropRelations { relations }` → likewise; nothing was added
 *
 * Where others have a lock that a single table needs (`lock_timeout`), the error names some of them as `holders`, for the log alone.
 *
 * Or, to each, `publication.unavailable { error }`: whatever is asked, it would be refused.
 */
import type { PublishedRelation } from '../../model/relation.ts';
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import { createPublication, type Addition, type PublicationOptions, type Review } from './publication.ts';
import { PublicationRefusedError } from './publication-refusal.ts';
import { tableLockHolders } from './table-lock-holders.ts';

export interface PublicationPortOptions extends PublicationOptions {
  readonly name?: Name;
}

export function publicationPort(options: PublicationPortOptions): PortSpec {
  const publication = createPublication(options);
  return {
    ...(options.name === undefined ? {} : { name: options.name }),
    open: () => ({
      requests: {
        reviewRelations: (request) => reviewed(publication.review(relationsOf(request))),
        addRelations: (request) => altered(publication.add(relationsOf(request)), options, request),
        dropRelations: (request) => altered(publication.drop(relationsOf(request)).then(() => NOTHING_ADDED), options, request),
      },
    }),
  };
}

function relationsOf({ relations }: Message): readonly PublishedRelation[] {
  return relations as readonly PublishedRelation[];
}

const NOTHING_ADDED: Addition = { added: [], turns: [] };

async function reviewed(review: Promise<Review>): Promise<Message> {
  try {
    return { type: 'publication.reviewed', ...(await review) };
  } catch (error) {
    return { type: 'publication.unavailable', error: toldOf(refusalIn(error)) };
  }
}

async function altered(alteration: Promise<Addition>, options: PublicationPortOptions, request: Message): Promise<Message> {
  try {
    return { type: 'publication.altered', ...(await alteration) };
  } catch (error) {
    const refusal = refusalIn(error);
    const told = { ...toldOf(refusal), ...(await holdersOf(refusal, options, relationsOf(request))) };
    return { type: refusal.concernsAll ? 'publication.unavailable' : 'publication.refused', error: told };
  }
}

/** Of several that are refused together, each is tried by itself. */
async function holdersOf(
  { code }: PublicationRefusedError,
  { pool, publication }: PublicationPortOptions,
  [relation, second]: readonly PublishedRelation[],
): Promise<{ readonly holders?: readonly string[] }> {
  if (code !== 'lock_timeout' || relation === undefined || second !== undefined) return {};
  const holders = await tableLockHolders((sql, params) => pool.query(sql, params), relation.oid, publication);
  return holders.length === 0 ? {} : { holders };
}

/** @throws what is no refusal. */
function refusalIn(error: unknown): PublicationRefusedError {
  if (!(error instanceof PublicationRefusedError)) throw error;
  return error;
}

/** In the form in which it can be sent. */
function toldOf({ code, message, status }: PublicationRefusedError) {
  return { name: code, code, message, status };
}
