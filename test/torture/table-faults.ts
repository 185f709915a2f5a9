/** What is done to a table that shapes are on, while others write to it. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { KEYS, type TableName } from '../oracle/schema.ts';
import type { Fault, Scene } from './fault.ts';
import { oneOf } from './fault.ts';
import { Finding } from './finding.ts';

const PUT_RIGHT_WITHIN_MS = 30_000;
const LOOK_EVERY_MS = 50;

const truncated: Fault = {
  name: 'table truncated',
  excuses: 'table',
  async strike({ world, table }) {
    await world.operator.insist(`TRUNCATE ${table}`);
    return undefined;
  },
};

const identityTaken: Fault = {
  name: 'replica identity taken',
  excuses: 'table',
  async strike({ world, table }) {
    await world.operator.insist(`ALTER TABLE ${table} REPLICA IDENTITY DEFAULT`);
    await world.operator.insist(touching(table));
    return undefined;
  },
  async untilPutRight({ world }) {
    const lacking = `SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
      WHERE p.pubname = '${world.publication}' AND c.relreplident <> 'f'`;
    for (const untilMs = systemClock.nowMs() + PUT_RIGHT_WITHIN_MS; ; await pause(systemClock, LOOK_EVERY_MS)) {
      if ((await world.operator.insist(lacking)).length === 0) return;
      if (systemClock.nowMs() > untilMs) throw new Finding(`a table has no full replica identity ${PUT_RIGHT_WITHIN_MS} ms later`);
    }
  },
};

const madeAnew: Fault = {
  name: 'table made anew',
  excuses: 'table',
  isFoundOutLater: true,
  async strike({ world, random, table }) {
    const [from, to] = [`${table}_gone`, `${table}_new`];
    await world.operator.insist(oneOf(random, [
      `CREATE TABLE ${to} (LIKE ${table} INCLUDING ALL); INSERT INTO ${to} SELECT * FROM ${table} WHERE random() < 0.7; DROP TABLE ${table};
        ALTER TABLE ${to} RENAME TO ${table}`,
      `DROP TABLE IF EXISTS ${from}; ALTER TABLE ${table} RENAME TO ${from}; CREATE TABLE ${table} (LIKE ${from} INCLUDING ALL);
        INSERT INTO ${table} SELECT * FROM ${from}`,
    ]));
    await world.operator.insist(touching(table));
    return undefined;
  },
};

const columnChanged: Fault = {
  name: 'column added, renamed, retyped or dropped',
  excuses: 'all columns of the table',
  isFoundOutLater: true,
  async strike(scene) {
    const { world, table } = scene;
    await world.operator.insist(await columnChange(scene));
    await world.operator.insist(touching(table));
    return undefined;
  },
};

export const TABLE_FAULTS: readonly Fault[] = [truncated, identityTaken, madeAnew, columnChanged];

/** Each row is written, so that the stream tells what has become of the table. */
function touching(table: TableName): string {
  const [key] = KEYS[table];
  return `UPDATE ${table} SET ${key} = ${key}`;
}

/** The writers know nothing of these columns. */
async function columnChange({ world, random, table }: Scene): Promise<string> {
  const [column] = await world.operator.insist<{ name: string }>(
    `SELECT attname AS name FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attname IN ('extra', 'spare') AND NOT attisdropped`,
  );
  if (column === undefined) return `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS extra integer DEFAULT ${random.below(100)}`;
  const { name } = column;
  const type = oneOf(random, ['text', 'integer', 'bigint']);
  const other = name === 'extra' ? 'spare' : 'extra';
  return oneOf(random, [
    `ALTER TABLE ${table} DROP COLUMN IF EXISTS ${name}`,
    `ALTER TABLE ${table} ALTER COLUMN ${name} DROP DEFAULT, ALTER COLUMN ${name} TYPE ${type} USING ${name}::text::${type}`,
    `DO $$ BEGIN ALTER TABLE ${table} RENAME COLUMN ${name} TO ${other}; EXCEPTION WHEN undefined_column THEN NULL; END $$`,
  ]);
}
