/** Checks of what the stream stands on: the right to it, its slot, other slots, and the publication with its tables. */
import type pg from 'pg';
import { lsnToPostgres } from '../../model/lsn.ts';
import { publishedTablesSql } from '../catalog/published-tables.ts';
import { NOT_REPLICATING_SQL } from '../connection/replication-right.ts';
import { quoteName, quoteTable, quoteText } from '../connection/sql-text.ts';
import { connect } from '../connection/connection.ts';
import { worldError } from '../connection/database-error.ts';
import { findSlot } from '../replication/replication-slot.ts';
import { NOTHING_STORED, standingOf, type FoundDatabase } from '../replication/slot-standing.ts';
import { fail, ok, remark, warn, type Told } from './finding.ts';
import { rowOf, rowsOf, type Check, type Subject } from './check.ts';
import { someOf, type NamedTable } from './some-tables.ts';

/** WAL that a slot without a reader keeps and that is worth a word. */
const RETAINED_BYTES = 1024 ** 3;

const replicationRight: Check = {
  id: 'replication_right',
  async look(client, { target }) {
    const { role } = await rowOf<{ role: string | null }>(client, `SELECT ${NOT_REPLICATING_SQL} AS role`);
    if (role === null) return [ok(`The role "${target.user}" may replicate`)];
    return [fail(`The role "${role}" may not replicate`, `ALTER ROLE ${quoteName(role)} WITH REPLICATION;`)];
  },
};

/** Over a connection of the kind that streams, which pg_hba.conf may refuse and a pooler does not carry. */
const slot: Check = {
  id: 'slot',
  async look(_client, subject) {
    const sender = await senderOf(subject);
    if ('verdict' in sender) return [sender];
    try {
      return [slotStanding(await findSlot(sender, subject), subject)];
    } finally {
      await sender.end();
    }
  },
};

async function senderOf({ target }: Subject): Promise<pg.Client | Told> {
  try {
    return await connect(target, { applicationName: 'armature doctor', replication: 'database' });
  } catch (error) {
    const refused = worldError(error);
    if (refused === undefined) throw error;
    const says = `A connection that streams was refused, so the slot could not be looked at: ${refused.message}`;
    return refused.code === NOT_LET_IN ? fail(says, remark('a line in pg_hba.conf must let the role in')) : warn(says);
  }
}

const NOT_LET_IN = '28000';

function slotStanding(found: FoundDatabase, subject: Subject): Told {
  const judged = standingOf(found, NOTHING_STORED, subject);
  if (judged.standing === 'refused') return fail(judged.why);
  const title = `replication slot "${subject.slot}"`;
  if (found.slot === undefined) return ok(`There is no ${title} yet: the first start makes it`);
  if (found.slot.isLost) return warn(`Postgres has given up the ${title}: the next start makes it anew, and shapes start over`);
  const { activePid, confirmedLsn } = found.slot;
  const reader = activePid === null ? 'nobody streams from it now' : `process ${activePid} of the server streams from it`;
  return ok(`The ${title} has confirmed ${lsnToPostgres(confirmedLsn)}, the WAL is at ${lsnToPostgres(found.walLsn)}, and ${reader}`);
}

const otherSlots: Check = {
  id: 'other_slots',
  async look(client, { slot: own }) {
    const idle = await rowsOf<{ name: string; retained: string }>(
      client,
      `SELECT slot_name AS name, pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)) AS retained
       FROM pg_replication_slots
       WHERE NOT active AND slot_name <> $1 AND pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn) > $2
       ORDER BY restart_lsn LIMIT 5`,
      [own, RETAINED_BYTES],
    );
    if (idle.length === 0) return [ok('No other slot without a reader keeps much WAL')];
    return idle.map(({ name, retained }) =>
      warn(`Nobody reads the replication slot "${name}", and it keeps ${retained} of WAL`,
        `SELECT pg_drop_replication_slot(${quoteText(name)}); ${remark('if nobody comes back to it')}`),
    );
  },
};

interface FoundPublication {
  readonly complete: boolean;
  readonly as_root: boolean;
  readonly ours: boolean;
}

const publication: Check = {
  id: 'publication',
  async look(client, subject) {
    const [found] = await rowsOf<FoundPublication>(
      client,
      `SELECT pubinsert AND pubupdate AND pubdelete AND pubtruncate AS complete, pubviaroot AS as_root,
              pg_has_role(pubowner, 'USAGE') AS ours FROM pg_publication WHERE pubname = $1`,
      [subject.publication],
    );
    if (found !== undefined) return standing(found, subject);
    const { may } = await rowOf<{ may: boolean }>(client, "SELECT has_database_privilege(current_database(), 'CREATE') AS may");
    if (may) return [ok(`There is no publication "${subject.publication}" yet: the first start makes it`)];
    const { user, database } = subject.target;
    const says = `There is no publication "${subject.publication}", and the role "${user}" may not make one`;
    return [fail(says, `GRANT CREATE ON DATABASE ${quoteName(database)} TO ${quoteName(user)};`)];
  },
};

function standing({ complete, as_root: asRoot, ours }: FoundPublication, subject: Subject): readonly Told[] {
  const { publication: name, isManual, target } = subject;
  const found: Told[] = [];
  const alter = `ALTER PUBLICATION ${quoteName(name)}`;
  if (!complete) {
    const says = `The publication "${name}" does not publish all of INSERT, UPDATE, DELETE and TRUNCATE`;
    found.push(fail(says, `${alter} SET (publish = 'insert, update, delete, truncate');`));
  }
  if (asRoot) {
    const says = `The publication "${name}" tells changes of partitions under the name of their root: shapes on them are refused`;
    found.push(warn(says, `${alter} SET (publish_via_partition_root = false);`));
  }
  if (!ours && !isManual) {
    const says = `The publication "${name}" belongs to another role: tables can join it by hand alone`;
    found.push(warn(says, `${alter} OWNER TO ${quoteName(target.user)}; ${remark('all shapes start over, as whenever it is altered')}`));
  }
  return found.length > 0 ? found : [ok(`The publication "${name}" is there`)];
}

interface PublishedTable extends NamedTable {
  /** Postgres refuses to update and to delete: it could not say which row it was. */
  readonly frozen: boolean;
}

const replicaIdentity: Check = {
  id: 'replica_identity',
  async look(client, { publication: name, isManual }) {
    const tables = await rowsOf<PublishedTable>(
      client,
      `SELECT n.nspname AS schema, c.relname AS name, count(*) OVER ()::int AS total,
              c.relreplident = 'n' OR (c.relreplident = 'd' AND NOT EXISTS
                (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)) AS frozen
       FROM ${publishedTablesSql('p.pubname = $1')} JOIN pg_class c ON c.oid = published.relid
       JOIN pg_namespace n ON n.oid = c.relnamespace
       WHERE c.relkind = 'r' AND c.relreplident <> 'f'
         AND ($2 OR NOT pg_has_role(c.relowner, 'USAGE') OR c.relreplident = 'n' OR NOT EXISTS
           (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
       ORDER BY frozen DESC, schema, name LIMIT 5`,
      [name, isManual],
    );
    const [first] = tables;
    if (first === undefined) return [ok('Every table of the publication tells its old rows, or will when a shape needs it')];
    const run = tables.map((table) => `ALTER TABLE ${quoteTable(table)} REPLICA IDENTITY FULL;`);
    if (!first.frozen) return [warn(`${someOf(tables)} in the publication: old rows are not told, and shapes are refused`, ...run)];
    return [fail(`${someOf(tables)} in the publication: without a replica identity, Postgres refuses every UPDATE and DELETE`, ...run)];
  },
};

export const STREAM_CHECKS: readonly Check[] = [replicationRight, slot, otherSlots, publication, replicaIdentity];
