/** What a publication manager may expect of whoever alters the publication: the real one, and the one that stands for it in tests. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import type { PublishedRelation } from '../../../src/model/relation.ts';
import type { Message } from '../../../src/otp/process.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { publicationPort } from '../../../src/postgres/catalog/publication-port.ts';
import { ModelPublication } from '../../support/actors/model-publication.ts';
import { openPort, type RunningPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { newMemories } from '../../support/postgres/publication-memories.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';

/** Of the server. Before that nobody can add such columns. */
const VIRTUAL_SINCE = 18;

/** Tables and who alters the publication; every test has names of its own. */
interface Side {
  port: RunningPort;
  create(name: string): Promise<PublishedRelation>;
  dropTable(name: string): Promise<unknown>;
  takeOut(name: string): Promise<unknown>;
  putBack(name: string): Promise<unknown>;
  forgetOldRows(name: string): Promise<unknown>;
  addVirtualColumn(name: string): Promise<unknown>;
  /** Until the end of the tests. */
  lock(name: string): Promise<unknown>;
  /** In the order of their names. */
  published(prefix: string): Promise<string[]>;
  /** The answer of one who cannot reach the database, or who finds no publication in it. */
  askWithout(what: 'database' | 'publication', request: Message): Promise<Message>;
}

let database: TestDatabase;
let pool: DatabasePool;

async function realSide(): Promise<Side> {
  database = await createDatabase();
  await database.query('CREATE PUBLICATION pub');
  const target = targetOf(database.url);
  pool = createPool({ target, applicationName: 'test', max: 2 });
  await pool.open();
  const unopened = createPool({ target, applicationName: 'test', max: 1 });
  const options = { publication: 'pub', isManual: false, ...newMemories(), clock: systemClock };
  const without = {
    database: await openPort(publicationPort({ ...options, pool: unopened })),
    publication: await openPort(publicationPort({ ...options, pool, publication: 'nothing' })),
  };
  return {
    port: await openPort(publicationPort({ ...options, pool })),
    async create(name) {
      await database.query(`CREATE TABLE ${name} (id int)`);
      const [row] = await database.query<{ oid: number }>(`SELECT '${name}'::regclass::oid::int8::float8 AS oid`);
      return { oid: row?.oid ?? 0, schema: 'public', name };
    },
    dropTable: (name) => database.query(`DROP TABLE ${name}`),
    takeOut: (name) => database.query(`ALTER PUBLICATION pub DROP TABLE ${name}`),
    putBack: (name) => database.query(`ALTER PUBLICATION pub ADD TABLE ${name}`),
    forgetOldRows: (name) => database.query(`ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`),
    addVirtualColumn: (name) => database.query(`ALTER TABLE ${name} ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) VIRTUAL`),
    lock: async (name) => await (await database.session()).query(`BEGIN; LOCK TABLE ${name}`),
    published: async (prefix) => {
      const sql = 'SELECT tablename AS name FROM pg_publication_tables WHERE starts_with(tablename, $1) ORDER BY 1';
      const rows = await database.query<{ name: string }>(sql, [prefix]);
      return rows.map(({ name }) => name);
    },
    askWithout: (what, request) => without[what].ask(request),
  };
}

async function modelSide(): Promise<Side> {
  const model = new ModelPublication();
  const port = await openPort(model.port);
  return {
    port,
    create: async (name) => model.relation(name),
    dropTable: async (name) => model.dropTable(name),
    takeOut: async (name) => model.takeOut(name),
    putBack: async (name) => model.putBack(name),
    forgetOldRows: async (name) => model.forgetOldRows(name),
    addVirtualColumn: async (name) => model.addVirtualColumn(name),
    lock: async (name) => model.lock(name),
    published: async (prefix) => model.published.filter((name) => name.startsWith(prefix)),
    async askWithout(what, request) {
      const without = new ModelPublication();
      if (what === 'database') without.isAway = true;
      else without.isMissing = true;
      return await (await openPort(without.port)).ask(request);
    },
  };
}

const sides: Record<string, Side> = {};
beforeAll(async () => {
  Object.assign(sides, { real: await realSide(), model: await modelSide() });
});
afterAll(async () => {
  await pool.close();
  await database.drop();
});

interface Spoiled {
  readonly name: string;
  readonly fault: string;
  readonly spoil: (side: Side, name: string) => Promise<unknown>;
  /** The version of Postgres. */
  readonly since?: number;
}

async function makeAnew({ dropTable, create }: Side, name: string): Promise<void> {
  await dropTable(name);
  await create(name);
}

const ALL_SPOILED: readonly Spoiled[] = [
  { name: 'fault_dropped', fault: 'isDropped', spoil: (side, name) => side.dropTable(name) },
  { name: 'fault_anew', fault: 'isDropped', spoil: makeAnew },
  { name: 'fault_out', fault: 'isNotPublished', spoil: (side, name) => side.takeOut(name) },
  { name: 'fault_bare', fault: 'isNotFull', spoil: (side, name) => side.forgetOldRows(name) },
  { name: 'fault_stuck', fault: 'isUnwritable', spoil: (side, name) => side.addVirtualColumn(name), since: VIRTUAL_SINCE },
];
const SPOILED = ALL_SPOILED.filter(({ since = 0 }) => MAJOR >= since);

describe.each(['real', 'model'])('%s publication', (name) => {
  const use = (): Side => sides[name] ?? expect.unreachable();

  test('adds several tables at once with their old rows, and drops them at once', async () => {
    const { port, create, published } = use();
    const relations = [await create('many_a'), await create('many_b')];

    const before = await port.ask({ type: 'reviewRelations', relations });
    const [known] = relations;
    await port.ask({ type: 'addRelations', relations: [known] });
    const added = [
      await port.ask({ type: 'addRelations', relations }),
      await port.ask({ type: 'reviewRelations', relations }),
      await published('many'),
    ];
    const dropped = [await port.ask({ type: 'dropRelations', relations }), await published('many')];

    expect({ before, added, dropped }).toEqual({
      before: { type: 'publication.reviewed', faults: relations.map((relation) => ({ relation, fault: 'isNotPublished' })), turns: [] },
      added: [
        { type: 'publication.altered', added: relations.slice(1), turns: [] },
        { type: 'publication.reviewed', faults: [], turns: [] },
        ['many_a', 'many_b'],
      ],
      dropped: [{ type: 'publication.altered', added: [], turns: [] }, []],
    });
  });

  test('tells of each table what is wrong with it', async () => {
    const { port, create } = use();
    const fine = await create('fault_none');
    const spoiled: { relation: PublishedRelation; fault: string }[] = [];
    for (const { name, fault } of SPOILED) spoiled.push({ relation: await create(name), fault });
    const relations = [fine, ...spoiled.map(({ relation }) => relation)];
    await port.ask({ type: 'addRelations', relations });

    for (const { name, spoil } of SPOILED) await spoil(use(), name);

    expect(await port.ask({ type: 'reviewRelations', relations })).toEqual({ type: 'publication.reviewed', faults: spoiled, turns: [] });
  });

  test('a table that left and came back has left, until it is added again', async () => {
    const { port, create, takeOut, putBack } = use();
    const relations = [await create('came_back'), await create('came_never')];
    await port.ask({ type: 'addRelations', relations });
    await takeOut('came_back');
    await putBack('came_back');

    const answers = [];
    for (const type of ['reviewRelations', 'reviewRelations', 'addRelations', 'reviewRelations']) {
      answers.push(await port.ask({ type, relations }));
    }

    const [back] = relations;
    const left = { type: 'publication.reviewed', faults: [{ relation: back, fault: 'hasLeft' }], turns: [] };
    expect(answers).toEqual([
      left, left, { type: 'publication.altered', added: [back], turns: [] }, { type: 'publication.reviewed', faults: [], turns: [] },
    ]);
  });

  test.each([
    { what: 'is not there any more', code: 'table_dropped', spoil: (side: Side, each: string) => side.dropTable(each) },
    {
      what: 'has columns that cannot be published', since: VIRTUAL_SINCE,
      code: 'generated_columns_not_carried', spoil: (side: Side, each: string) => side.addVirtualColumn(each),
    },
    { what: 'is locked', code: 'lock_timeout', spoil: (side: Side, each: string) => side.lock(each) },
  ].filter(({ since = 0 }) => MAJOR >= since))('adds none of several when one $what', async ({ code, spoil }) => {
    const { port, create, published } = use();
    const relations = [await create(`${code}_a`), await create(`${code}_b`)];
    await spoil(use(), `${code}_b`);

    const answer = await port.ask({ type: 'addRelations', relations });

    expect({ answer, published: await published(code) }).toMatchObject({
      answer: { type: 'publication.refused', error: { code } },
      published: [],
    });
  });

  test('takes nothing out that has only the name of what is dropped', async () => {
    const { port, create, dropTable, published } = use();
    const old = await create('name_a');
    await dropTable('name_a');
    await port.ask({ type: 'addRelations', relations: [await create('name_a')] });

    const answer = await port.ask({ type: 'dropRelations', relations: [old] });

    expect({ answer, published: await published('name') }).toMatchObject({
      answer: { type: 'publication.altered' },
      published: ['name_a'],
    });
  });

  test.each([
    ['database', 'reviewRelations', 'connection_not_available'],
    ['database', 'addRelations', 'connection_not_available'],
    ['database', 'dropRelations', 'connection_not_available'],
    ['publication', 'reviewRelations', 'publication_missing'],
    ['publication', 'addRelations', 'publication_missing'],
  ] as const)('without a %s it says so to %s, whatever the tables', async (what, type, code) => {
    const answer = await use().askWithout(what, { type, relations: [{ oid: 1, schema: 'public', name: 'any' }] });

    expect(answer).toMatchObject({ type: 'publication.unavailable', error: { name: code, code, status: 503 } });
  });
});
