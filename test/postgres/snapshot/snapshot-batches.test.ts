/** Few rows of shapes that are asked for together are read together; what is the matter with one of them is so with none of the others. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { InvariantError } from '../../../src/base/invariant.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { KnownTables } from '../../../src/postgres/snapshot/known-tables.ts';
import { snapshotPort } from '../../../src/postgres/snapshot/snapshot-port.ts';
import { ArrayLiteral } from '../../../src/sql/values/array-literal.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { RecordingTarget } from '../../support/postgres/snapshot-target.ts';
import { arrayTemplate } from '../../support/shapes/array-template.ts';

let database: TestDatabase;
let pool: DatabasePool;
/** How often a session was used. */
let uses: number;
let clock: ManualClock;
let port: RunningPort;
let targets: RecordingTarget[];

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id int PRIMARY KEY, owner int, text text);
    INSERT INTO items SELECT i, i / 2, 'text ' || i FROM generate_series(0, 39) i;
    INSERT INTO items SELECT i, 1000, repeat('x', 1000) FROM generate_series(1000, 1300) i;
    CREATE TABLE others (id int PRIMARY KEY, owner int);
    INSERT INTO others SELECT i, i / 2 FROM generate_series(0, 39) i`);
});
afterAll(() => database.drop());

beforeEach(async () => {
  const opened = createPool({ target: targetOf(database.url), applicationName: 'batches', max: 4, queueMsMax: 5_000 });
  await opened.open();
  pool = Object.assign(Object.create(opened) as DatabasePool, {
    use: (work: Parameters<DatabasePool['use']>[0]) => {
      uses += 1;
      return opened.use(work);
    },
  });
  clock = new ManualClock();
  targets = [];
  const targetAt = (handle: string): RecordingTarget | undefined => targets[Number(handle.slice(2))];
  port = await openPort(snapshotPort({ pool, clock, tables: new KnownTables(), target: targetAt }));
  for (const name of ['items', 'others']) await ask([new RecordingTarget({ name, columns: ['id'] })]); // From now on it is known.
  uses = 0;
});
afterEach(async () => {
  await port.close();
  await pool.close();
});

function ask(asked: readonly RecordingTarget[], signals: readonly (AbortSignal | undefined)[] = []): Promise<readonly Message[]> {
  targets = [...asked];
  const answers = asked.map((_, index) => port.ask({ type: 'takeSnapshot', handle: `1-${index}`, progressTo: '@asking' }, signals[index]));
  return Promise.all(answers);
}

type Options = Partial<ConstructorParameters<typeof RecordingTarget>[0]> & { readonly sql?: string };

function itemsOf(owner: number, { sql = '"owner" = $1::int4', ...options }: Options = {}): RecordingTarget {
  const where = { sql, params: [String(owner)] };
  return new RecordingTarget({ name: 'items', columns: ['id'], where, template: arrayTemplate(1), ...options });
}

const outcomeOf = ({ type, error }: Message): unknown => (error === undefined ? type : (error as { code: string }).code);
const linesOf = ({ lines }: RecordingTarget): readonly string[] => lines.match(/\d+/g) ?? [];
const itemsBy = (...owners: readonly number[]): RecordingTarget[] => owners.map((owner) => itemsOf(owner));

test('each gets its own rows, by one snapshot, which it knows before it begins', async () => {
  const asked = itemsBy(0, 1, 99, 2);

  const answers = await ask(asked);

  const told = port.sent.slice(-8).filter(({ message }) => message['handle'] === '1-2').map(({ message }) => message.type);
  expect({ answers: answers.map(outcomeOf), rows: asked.map(linesOf), calls: asked[2]?.calls, told, uses }).toEqual({
    answers: Array(4).fill('snapshot.completed'),
    rows: [['0', '1'], ['2', '3'], [], ['4', '5']],
    calls: ['begin', 'complete'],
    told: ['snapshot.known', 'snapshot.started'],
    uses: 1,
  });
  expect(new Set(asked.map(({ pgSnapshot }) => JSON.stringify(pgSnapshot))).size).toBe(1);
});

test('of very many so many go together, and of two tables those of each', async () => {
  const many = await ask(itemsBy(...Array(20).keys()));
  const manyUses = uses;
  const both = await ask([...itemsBy(0, 1), ...itemsBy(2, 3).map(({ where }) => itemsOf(0, { name: 'others', where }))]);

  expect([many.every(({ type }) => type === 'snapshot.completed'), manyUses, both.map(outcomeOf), uses - manyUses]).toEqual([
    true, 3, Array(4).fill('snapshot.completed'), 2,
  ]);
});

test('a row that its filter fails over fails one alone; then the table is read one by one', async () => {
  const asked = [itemsOf(0), itemsOf(1, { sql: '1 / ("owner" - $1::int4) = 7' }), itemsOf(2)];
  const answers = await ask(asked);
  const before = uses;
  await ask(itemsBy(3, 4, 5));

  expect({ answers: answers.map(outcomeOf), rows: asked.map(linesOf), calls: asked[1]?.calls, apart: uses - before }).toEqual({
    answers: ['snapshot.completed', '22012', 'snapshot.completed'], rows: [['0', '1'], [], ['4', '5']], calls: ['begin', 'abort'], apart: 3,
  });
});

test('rows that are many are read by themselves, and those of the others too', async () => {
  const large = itemsOf(1000, { columns: ['id', 'text'], template: arrayTemplate(2) });
  const asked = [itemsOf(0), large, itemsOf(2)];

  const answers = await ask(asked);

  const rest = [asked[0], asked[2]].map((one) => one && linesOf(one));
  expect({ answers: answers.map(outcomeOf), isWhole: large.lines.length > 300_000, rest, uses }).toEqual({
    answers: Array(3).fill('snapshot.completed'), isWhole: true, rest: [['0', '1'], ['4', '5']], uses: 4,
  });
});

test('a query that takes long holds up no other for long', async () => {
  const slow = itemsOf(1, { sql: '"owner" = $1::int4 AND (SELECT true FROM pg_sleep(0.5))' });
  const asked = [itemsOf(0), slow, itemsOf(2)];

  const answers = await ask(asked);

  expect([answers.map(outcomeOf), asked.map(linesOf)]).toEqual([Array(3).fill('snapshot.completed'), [['0', '1'], ['2', '3'], ['4', '5']]]);
});

test('a table whose lock somebody holds is waited for by each alone', async () => {
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE items');
  const asked = itemsBy(0, 1);
  const answers = ask(asked);
  const waiting = `SELECT FROM pg_stat_activity WHERE application_name = 'batches' AND wait_event_type = 'Lock'`;
  await expect.poll(async () => (await database.query(waiting)).length).toBe(2); // One as long as they wait together.
  await locking.query('ROLLBACK');

  expect([(await answers).map(outcomeOf), asked.map(linesOf)]).toEqual([Array(2).fill('snapshot.completed'), [['0', '1'], ['2', '3']]]);
});

test('one that has other columns than were meant, or is waited for by nobody, leaves the others be', async () => {
  const left = new AbortController();
  const asked = [itemsOf(0), itemsOf(1, { accepts: () => false }), itemsOf(2), itemsOf(3)];
  const answers = ask(asked, [undefined, undefined, left.signal]);
  left.abort();

  const outcomes = (await answers).map(outcomeOf);
  expect([outcomes[0], outcomes[1], outcomes[3], asked[2]?.calls]).toEqual([
    'snapshot.completed', 'schema_changed', 'snapshot.completed', ['abort'],
  ]);
});

test('those that nobody waits for any more leave their session at once', async () => {
  const locking = await database.session();
  await locking.query('BEGIN; LOCK TABLE items');
  const left = [new AbortController(), new AbortController()];
  const answers = ask(itemsBy(0, 1), left.map(({ signal }) => signal));
  const busy = `SELECT FROM pg_stat_activity WHERE application_name = 'batches' AND state = 'active'`;
  await expect.poll(async () => (await database.query(busy)).length).toBe(1);
  for (const each of left) each.abort();
  const types = (await answers).map(({ type }) => type);
  const { open } = pool.counts; // Were it waited for what Postgres says, the session would be there yet.
  await locking.query('ROLLBACK');

  expect({ types, uses, open }).toEqual({ types: Array(2).fill('snapshot.failed'), uses: 1, open: 0 });
});

test('one after the other they may be quick, and take too long together: then each is read by itself', async () => {
  const sql = '"owner" = $1::int4 AND (SELECT true FROM pg_sleep(0.15))';
  const asked = Array.from({ length: 8 }, (_, owner) => itemsOf(owner, { sql }));
  const answers = ask(asked);
  await database.until("SELECT FROM pg_stat_activity WHERE application_name = 'batches' AND wait_event = 'PgSleep'");
  clock.advance(1_000);

  const rows = asked.map((_, owner) => [String(2 * owner), String(2 * owner + 1)]);
  expect({ answers: (await answers).map(outcomeOf), rows: asked.map(linesOf), uses }).toEqual({
    answers: Array(8).fill('snapshot.completed'), rows, uses: 9,
  });
});

test('those without a filter, or with values in an array, are read by themselves from the first', async () => {
  const anyOf = { sql: '"owner" = ANY($1::int4[])', params: [new ArrayLiteral(['0', '1'])] };
  const asked = [undefined, undefined, anyOf, anyOf].map((where) => {
    return new RecordingTarget({ name: 'others', columns: ['id'], where, template: arrayTemplate(1) });
  });

  const answers = await ask(asked);

  expect({ answers: answers.map(outcomeOf), counts: asked.map((one) => linesOf(one).length), uses }).toEqual({
    answers: Array(4).fill('snapshot.completed'), counts: [40, 40, 4, 4], uses: 4,
  });
});

test.each([['as many constants as Postgres takes', 65_535, 'snapshot.completed'], ['one more', 65_536, '54000']])(
  'a filter with %s concerns nobody else', async (_, count, outcome) => {
    const params = Array.from({ length: count }, () => '1');
    const sql = `"owner" IN (${params.map((_, index) => `$${index + 1}::int4`).join()})`;
    const asked = [itemsOf(0), itemsOf(1, { where: { sql, params } }), itemsOf(2)];

    const answers = await ask(asked);

    expect({ answers: answers.map(outcomeOf), rows: [asked[0], asked[2]].map((one) => one && linesOf(one)) }).toEqual({
      answers: ['snapshot.completed', outcome, 'snapshot.completed'], rows: [['0', '1'], ['4', '5']],
    });
  },
);

test('a bug of ours that one of them meets is told to that one', async () => {
  const accepts = (): boolean => {
    throw new InvariantError('what can never be');
  };
  const asked = [itemsOf(0), itemsOf(1, { accepts }), itemsOf(2)];
  const answers = await ask(asked);

  expect([answers.map(outcomeOf), asked.map(linesOf)]).toEqual([
    ['snapshot.completed', 'snapshot_failed', 'snapshot.completed'], [['0', '1'], [], ['4', '5']],
  ]);
});

test('rows that were written anew while their table was waited for are never missed', async () => {
  const writing = await database.session();
  await writing.query('BEGIN; ALTER TABLE others ALTER COLUMN owner TYPE int USING owner + 0');
  const asked = [0, 1].map((owner) => itemsOf(owner, { name: 'others' }));
  const answers = ask(asked);
  await database.until("SELECT FROM pg_stat_activity WHERE application_name = 'batches' AND wait_event_type = 'Lock'");
  await writing.query('COMMIT'); // In time, mostly: who waits alone by then is told of it.

  const rows = asked.map((_, owner) => [String(2 * owner), String(2 * owner + 1)]);
  const outcomes = (await answers).map(outcomeOf);
  expect(asked.map((one, index) => (outcomes[index] === 'schema_changed' ? rows[index] : linesOf(one)))).toEqual(rows);
});

test('a table that is another one since it was known is looked at anew by each', async () => {
  await database.query('ALTER TABLE others RENAME TO former; CREATE TABLE others (id int PRIMARY KEY, owner int)');
  await database.query('INSERT INTO others VALUES (7, 0)');
  const asked = [0, 1].map((owner) => itemsOf(owner, { name: 'others' }));

  const answers = await ask(asked);

  expect([answers.map(outcomeOf), asked.map(linesOf)]).toEqual([Array(2).fill('snapshot.completed'), [['7'], []]]);
});

test('a column that is boolean since its table was known is spelled out', async () => {
  await database.query('CREATE TABLE flags (id int PRIMARY KEY, flag int); INSERT INTO flags VALUES (1, 1)');
  const where = { sql: '"id" = $1::int4', params: ['1'] };
  const flagOf = () => new RecordingTarget({ name: 'flags', columns: ['flag'], where, template: arrayTemplate(1) });
  await ask([flagOf()]);
  await database.query('ALTER TABLE flags ALTER COLUMN flag TYPE boolean USING flag = 1');
  const asked = [flagOf(), flagOf()];

  await ask(asked);

  expect(asked.map(({ lines }) => lines.includes('"true"'))).toEqual([true, true]);
});
