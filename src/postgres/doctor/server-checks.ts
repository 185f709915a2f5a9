/** Checks of the server: which it is, what it writes to its WAL, and how much of its room is left. */
import { quoteName } from '../connection/sql-text.ts';
import { fail, ok, remark, warn } from './finding.ts';
import { rowOf, rowsOf, type Check } from './check.ts';

const VERSION_MIN = 140_000;
/** A transaction is not long before that. */
const LONG_SECONDS = 60;

const version: Check = {
  id: 'version',
  async look(client) {
    const sql = "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS text";
    const { number, text } = await rowOf<{ number: number; text: string }>(client, sql);
    return [number < VERSION_MIN ? fail(`This is Postgres ${text}; Armature needs 14 or newer`) : ok(`Postgres ${text}`)];
  },
};

/** The lock and the publication are written, so a standby will not do, although some decode. */
const primary: Check = {
  id: 'primary',
  async look(client) {
    const { standby } = await rowOf<{ standby: boolean }>(client, 'SELECT pg_is_in_recovery() AS standby');
    return [standby ? fail('The server is a standby: name the address of its primary') : ok('The server is no standby')];
  },
};

const walLevel: Check = {
  id: 'wal_level',
  async look(client) {
    const { level } = await rowOf<{ level: string }>(client, "SELECT current_setting('wal_level') AS level");
    if (level === 'logical') return [ok('wal_level is logical')];
    const run = ["ALTER SYSTEM SET wal_level = 'logical';", remark('then restart Postgres')];
    return [fail(`wal_level is ${level}: there is no stream of changes to follow`, ...run)];
  },
};

/** By which `ALTER … RESET` a session gets rid of a setting, by its `source` in `pg_settings`. */
const RESET_OF: Readonly<Record<string, (names: { role: string; database: string }) => string>> = {
  user: ({ role }) => `ALTER ROLE ${role} RESET`,
  database: ({ database }) => `ALTER DATABASE ${database} RESET`,
  'database user': ({ role, database }) => `ALTER ROLE ${role} IN DATABASE ${database} RESET`,
  global: () => 'ALTER ROLE ALL RESET',
};
/** As a rule whoever runs the statement is one of those that may not. */
const WRITE_HERE = 'SET default_transaction_read_only = off;';

/** Publication, slot and replica identities are written. */
const readOnly: Check = {
  id: 'read_only',
  async look(client, { target }) {
    const { value, source } = await rowOf<{ value: string; source: string }>(
      client, "SELECT setting AS value, source FROM pg_settings WHERE name = 'default_transaction_read_only'",
    );
    if (value === 'off') return [ok('Transactions may write by default')];
    const reset = RESET_OF[source]?.({ role: quoteName(target.user), database: quoteName(target.database) });
    const run = reset === undefined ? [remark(`it is set by the ${source}`)] : [WRITE_HERE, `${reset} default_transaction_read_only;`];
    return [fail('default_transaction_read_only is on: neither publication nor tables can be altered for a shape', ...run)];
  },
};

/** Without one, Postgres takes and gives whatever bytes it is sent. */
const encoding: Check = {
  id: 'encoding',
  async look(client) {
    const { name } = await rowOf<{ name: string }>(client, "SELECT current_setting('server_encoding') AS name");
    if (name !== 'SQL_ASCII') return [ok(`The encoding of the database is ${name}`)];
    const says = 'The encoding of the database is SQL_ASCII, so it takes bytes that are no text, and cannot send a row that has some: ' +
      'shapes with such a row are refused, and whenever one is written, all shapes start over. One with an encoding refuses them';
    return [warn(says, remark("CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0, and move the rows there"))];
  },
};

/** A pooler gives its clients process ids of its own, so that a cancellation finds the pooler. */
const pooler: Check = {
  id: 'pooler',
  async look(client) {
    const { pid } = await rowOf<{ pid: number }>(client, 'SELECT pg_backend_pid() AS pid');
    if (!('processID' in client) || client.processID === pid) return [ok('Nothing pools connections in between')];
    return [
      fail('A pooler (PgBouncer, say) stands before the database: it carries neither the stream nor the lock. ' +
        'Name the address of Postgres itself, and the pooler as --pooled-database-url'),
    ];
  },
};

interface Room {
  readonly most: number;
  readonly used: number;
}

const slotRoom: Check = {
  id: 'slot_room',
  async look(client, { slot }) {
    const { most, used, has } = await rowOf<Room & { readonly has: boolean }>(
      client,
      `SELECT current_setting('max_replication_slots')::int AS most, count(*)::int AS used,
              coalesce(bool_or(slot_name = $1), false) AS has FROM pg_replication_slots`,
      [slot],
    );
    if (has || used < most) return [ok(`${used} of ${most} replication slots are taken`)];
    const run = [`ALTER SYSTEM SET max_replication_slots = ${most + 5};`, remark('then restart Postgres')];
    const says = `All ${most} replication slots are taken, and Armature needs one: drop one that nobody needs, or raise their number`;
    return [fail(says, ...run)];
  },
};

const senderRoom: Check = {
  id: 'wal_sender_room',
  async look(client, { slot }) {
    const { most, used, streams } = await rowOf<Room & { readonly streams: boolean }>(
      client,
      `SELECT current_setting('max_wal_senders')::int AS most, (SELECT count(*)::int FROM pg_stat_replication) AS used,
              EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1 AND active) AS streams`,
      [slot],
    );
    if (streams || used < most) return [ok(`${used} of ${most} WAL senders are busy`)];
    const run = [`ALTER SYSTEM SET max_wal_senders = ${most + 5};`, remark('then restart Postgres')];
    return [fail(`All ${most} WAL senders are busy, and Armature needs one: stop a replication client, or raise their number`, ...run)];
  },
};

/** Counted over all databases, as Postgres does. */
const connectionRoom: Check = {
  id: 'connection_room',
  async look(client, { connections }) {
    const { most, used } = await rowOf<Room>(
      client,
      `SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
              (SELECT coalesce(sum(numbackends), 0)::int FROM pg_stat_database) AS used`,
    );
    if (most - used >= connections) return [ok(`${most - used} connections are free, and Armature opens up to ${connections}`)];
    const says = `${most - used} connections are free, and Armature opens up to ${connections}: ` +
      'have it open fewer (ARMATURE_DB_POOL_SIZE), or raise max_connections';
    return [warn(says)];
  },
};

/** A slot keeps WAL for a service that is away; without a limit, until the disk is full. */
const walLimit: Check = {
  id: 'wal_limit',
  async look(client, { isSlotTemporary = false }) {
    const { size, kept } = await rowOf<{ size: string; kept: string }>(
      client,
      "SELECT current_setting('max_slot_wal_keep_size') AS size, current_setting('max_wal_size') AS kept",
    );
    if (size !== '-1') return [ok(`A slot keeps ${size} of WAL at most (max_slot_wal_keep_size); who is further behind starts over`)];
    if (isSlotTemporary) return [ok('The slot ends with its connection, and keeps no WAL behind it')];
    const says = 'A service that stays away has Postgres keep WAL until its disk is full (max_slot_wal_keep_size = -1): ' +
      'choose a size that the disk has room for';
    const set = `ALTER SYSTEM SET max_slot_wal_keep_size = '10GB'; ${remark(`max_wal_size is ${kept}`)}`;
    return [warn(says, set, 'SELECT pg_reload_conf();')];
  },
};

/** A new slot waits for all that is under way to end. */
const longTransactions: Check = {
  id: 'long_transactions',
  async look(client, { target }) {
    const open = await rowsOf<{ pid: number; seconds: number }>(
      client,
      `SELECT pid, extract(epoch FROM now() - xact_start)::int AS seconds FROM pg_stat_activity
       WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() AND xact_start < now() - $1 * interval '1 second'
       ORDER BY xact_start LIMIT 3`,
      [LONG_SECONDS],
    );
    const { sees } = await rowOf<{ sees: boolean }>(client, "SELECT pg_has_role('pg_read_all_stats', 'USAGE') AS sees");
    const found = open.map(({ pid, seconds }) =>
      warn(`Process ${pid} has had a transaction open for ${seconds} s, and has written in it: a new replication slot waits for its end`,
        `SELECT pg_terminate_backend(${pid}); ${remark('if it may be rolled back')}`),
    );
    if (found.length > 0) return found;
    if (sees) return [ok('No transaction has been open for long')];
    const grant = `GRANT pg_read_all_stats TO ${quoteName(target.user)};`;
    return [warn(`The role "${target.user}" may not see how long transactions of other roles have been open`, grant)];
  },
};

const preparedTransactions: Check = {
  id: 'prepared_transactions',
  async look(client) {
    const [oldest] = await rowsOf<{ gid: string; seconds: number }>(
      client,
      `SELECT gid, extract(epoch FROM now() - prepared)::int AS seconds FROM pg_prepared_xacts
       WHERE database = current_database() AND prepared < now() - $1 * interval '1 second' ORDER BY prepared LIMIT 1`,
      [LONG_SECONDS],
    );
    if (oldest === undefined) return [ok('No transaction has been left prepared')];
    const says = `The transaction "${oldest.gid}" has been prepared for ${oldest.seconds} s: a new replication slot waits for its end. ` +
      'COMMIT PREPARED or ROLLBACK PREPARED ends it';
    return [warn(says, 'SELECT * FROM pg_prepared_xacts;')];
  },
};

export const SERVER_CHECKS: readonly Check[] = [
  version, primary, walLevel, readOnly, encoding, pooler, slotRoom, senderRoom, connectionRoom, walLimit,
  longTransactions, preparedTransactions,
];
