import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { EVER } from '../../../src/model/partition-tree.ts';
import { createPool, type DatabasePool } from '../../../src/postgres/connection/pool.ts';
import { createPublication, type PublicationOptions } from '../../../src/postgres/catalog/publication.ts';
import { publicationPort } from '../../../src/postgres/catalog/publication-port.ts';
import { openPort } from '../../support/postgres/port-harness.ts';
import { createDatabase, type TestDatabase } from '../../support/postgres/postgres.ts';
import { targetOf } from '../../support/postgres/postgres-target.ts';
import { newMemories } from '../../support/postgres/publication-memories.ts';
import { MAJOR } from '../../support/postgres/start-postgres.ts';

/** Before that everything of a table is published, or nothing. */
const testOfParts = test.runIf(MAJOR >= 15);
/** Before that no generated column is published, and none has to be. */
const testOfGenerated = test.runIf(MAJOR >= 18);

let database: TestDatabase;
let pool: DatabasePool;
let weakPool: DatabasePool;
let trees = 0;

beforeAll(async () => {
  database = await createDatabase();
  const role = `role_${database.name}`;
  await database.query(`
    CREATE ROLE ${role} LOGIN PASSWORD 'weak'; GRANT CREATE ON DATABASE ${database.name} TO ${role}; CREATE PUBLICATION pub`);
  pool = createPool({ target: targetOf(database.url), applicationName: 'test', max: 2 });
  weakPool = createPool({ target: { ...targetOf(database.url), user: role, password: 'weak' }, applicationName: 'test', max: 1 });
  await Promise.all([pool.open(), weakPool.open()]);
});
afterAll(async () => {
  await Promise.all([pool.close(), weakPool.close()]);
  await database.query(`DROP OWNED BY role_${database.name}; DROP ROLE role_${database.name}`);
  await database.drop();
});

/** What nobody has looked at yet. */
function kept(): Pick<PublicationOptions, 'trees' | 'memberships' | 'clock'> {
  return { ...newMemories(), clock: systemClock };
}

async function table(name: string, rest = '(id int)'): Promise<{ oid: number; schema: string; name: string }> {
  await database.query(`CREATE TABLE ${name} ${rest}`);
  const [row] = await database.query<{ oid: number }>(`SELECT '${name}'::regclass::oid::int8::float8 AS oid`);
  return { oid: row?.oid ?? 0, schema: 'public', name };
}

async function published(): Promise<string[]> {
  const rows = await database.query<{ tablename: string }>(`SELECT tablename FROM pg_publication_tables WHERE pubname = 'pub' ORDER BY 1`);
  return rows.map(({ tablename }) => tablename);
}

function told(code: string, message: string, status = 503): object {
  return { name: code, code, message, status };
}

/** For a table that somebody keeps: only its default is longer. */
const lockMsMax = 300;

async function refusalOf(relation: object, options: Partial<PublicationOptions> = {}): Promise<unknown> {
  const port = await openPort(publicationPort({ pool, publication: 'pub', isManual: false, lockMsMax, ...kept(), ...options }));
  return (await port.ask({ type: 'addRelations', relations: [relation] }))['error'];
}

test('publishes a table with its old rows, as often as asked, and takes it out again', async () => {
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...kept() });
  const items = await table('items');

  await publication.add([items]);
  await publication.add([items]);
  const listed = await published();
  const [identity] = await database.query(`SELECT relreplident AS is FROM pg_class WHERE relname = 'items'`);
  await publication.drop([items]);
  await publication.drop([items]);

  expect({ listed, identity, left: await published() }).toEqual({ listed: ['items'], identity: { is: 'f' }, left: [] });
});

test('gives each partition its replica identity', async () => {
  const parts = await table('parts', '(id int) PARTITION BY RANGE (id)');
  await database.query('CREATE TABLE part PARTITION OF parts DEFAULT');

  await createPublication({ pool, publication: 'pub', isManual: false, ...kept() }).add([parts]);

  expect(await database.query(`SELECT relreplident AS is FROM pg_class WHERE relname = 'part'`)).toEqual([{ is: 'f' }]);
});

test('a partition that is busy keeps none behind it from its replica identity', async () => {
  const rush = await table('rush', '(id int) PARTITION BY LIST (id)');
  await database.query('CREATE TABLE rush_1 PARTITION OF rush FOR VALUES IN (1); CREATE TABLE rush_2 PARTITION OF rush FOR VALUES IN (2)');
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO rush VALUES (1)');
  const publication = createPublication({ pool, publication: 'pub', isManual: false, lockMsMax, ...kept() });
  const refusal: unknown = await publication.add([rush]).catch((error: unknown) => error);
  await writer.query('ROLLBACK');

  expect({ refusal, identities: await database.query("SELECT relreplident AS is FROM pg_class WHERE relname ~ '^rush_' ORDER BY oid") })
    .toMatchObject({ refusal: { code: 'lock_timeout' }, identities: [{ is: 'd' }, { is: 'f' }] });
});

describe('of a partitioned table', () => {
  test.each([
    ['nothing happened', () => '', false],
    ['a partition was made', (name: string) => `CREATE TABLE ${name}_c PARTITION OF ${name} FOR VALUES IN (3)`, false],
    [
      'a partition was made with columns of its own, and got a column',
      (name: string) => `
        CREATE TABLE ${name}_c PARTITION OF ${name} (extra DEFAULT 7, CHECK (id > 0)) FOR VALUES IN (3);
        ALTER TABLE ${name} ADD COLUMN more int`,
      false,
    ],
    [
      'a partition was made with a partition of its own',
      (name: string) => `
        CREATE TABLE ${name}_c PARTITION OF ${name} FOR VALUES IN (3) PARTITION BY LIST (extra);
        CREATE TABLE ${name}_d PARTITION OF ${name}_c DEFAULT`,
      false,
    ],
    ['an index was made', (name: string) => `CREATE INDEX ON ${name} (extra)`, false],
    ['a partition was dropped', (name: string) => `DROP TABLE ${name}_a`, true],
    ['a partition was detached', (name: string) => `ALTER TABLE ${name} DETACH PARTITION ${name}_b`, true],
    [
      'a partition was detached and attached again',
      (name: string) => `ALTER TABLE ${name} DETACH PARTITION ${name}_a; ALTER TABLE ${name} ATTACH PARTITION ${name}_a FOR VALUES IN (1)`,
      true,
    ],
    [
      'a partition of a partition was detached and attached again',
      (name: string) => `
        ALTER TABLE ${name}_b DETACH PARTITION ${name}_b_b; ALTER TABLE ${name}_b ATTACH PARTITION ${name}_b_b DEFAULT`,
      true,
    ],
    [
      'a table was attached',
      (name: string) => `CREATE TABLE ${name}_c (LIKE ${name}); ALTER TABLE ${name} ATTACH PARTITION ${name}_c FOR VALUES IN (3)`,
      true,
    ],
    [
      'a table was made, filled and attached in one transaction',
      (name: string) => `
        BEGIN; CREATE TABLE ${name}_c AS SELECT 3 AS id, 4 AS extra;
        ALTER TABLE ${name} ATTACH PARTITION ${name}_c FOR VALUES IN (3); COMMIT`,
      true,
    ],
    [
      'a partition was made, filled, detached and attached again in one transaction',
      (name: string) => `
        BEGIN; CREATE TABLE ${name}_c PARTITION OF ${name} FOR VALUES IN (3); INSERT INTO ${name}_c VALUES (3, 4);
        ALTER TABLE ${name} DETACH PARTITION ${name}_c; ALTER TABLE ${name} ATTACH PARTITION ${name}_c FOR VALUES IN (3); COMMIT`,
      true,
    ],
  ])('it is told whether rows came or went as no stream tells: %s', async (_, sqlOf, hasTurned) => {
    const name = `tree_${(trees += 1)}`;
    const tree = await table(name, '(id int, extra int) PARTITION BY LIST (id)');
    await database.query(`
      CREATE TABLE ${name}_a PARTITION OF ${name} FOR VALUES IN (1);
      CREATE TABLE ${name}_b PARTITION OF ${name} FOR VALUES IN (2) PARTITION BY LIST (extra);
      CREATE TABLE ${name}_b_b PARTITION OF ${name}_b DEFAULT`);
    let micros = 10;
    const options = { ...newMemories(), clock: { epochMicros: () => (micros += 1) } };
    const publication = createPublication({ pool, publication: 'pub', isManual: false, ...options });
    const { turns: first } = await publication.add([tree]);
    await database.query(sqlOf(name));
    const { turns: found } = await publication.add([tree]);
    const { turns } = await publication.review([tree]);
    const { turns: again } = await publication.review([tree]);
    await publication.drop([tree]);

    const turn = hasTurned ? [{ relation: tree, beforeMicros: 12 }] : [];
    expect({ first, found, turns, again, kept: options.trees.treeOf(tree.oid) }).toEqual({
      first: [], found: turn.map((of) => ({ ...of, beforeMicros: EVER })), turns: turn, again: turn, kept: undefined,
    });
  });

  test('a partition is published by itself as well, so that it stays when the table above leaves', async () => {
    const tree = await table('stays', '(id int) PARTITION BY LIST (id)');
    await database.query('CREATE TABLE stays_a PARTITION OF stays DEFAULT');
    const [row] = await database.query<{ oid: number }>(`SELECT 'stays_a'::regclass::oid::int8::float8 AS oid`);
    const leaf = { oid: row?.oid ?? 0, schema: 'public', name: 'stays_a' };
    const publication = createPublication({ pool, publication: 'pub', isManual: false, ...kept() });
    await publication.add([tree]);
    const { faults } = await publication.review([leaf, tree]);
    const { added } = await publication.add([leaf]);
    await publication.drop([tree]);
    const left = (await published()).filter((name) => name.startsWith('stays'));

    expect({ faults, added, left, end: (await publication.review([leaf])).faults }).toEqual({
      faults: [{ relation: leaf, fault: 'isNotItself' }], added: [], left: ['stays_a'], end: [],
    });
    await publication.drop([leaf]);
  });

  test.each([
    ['the root alone', 'chosen', ''],
    ['all partitions', 'chosen_parts', '_x'],
  ])('of which an operator has published %s, root and partition count as published', async (_, name, member) => {
    const root = await table(name, '(id int) PARTITION BY LIST (id)');
    await database.query(`
      CREATE TABLE ${root.name}_x PARTITION OF ${root.name} DEFAULT; ALTER TABLE ${root.name}_x REPLICA IDENTITY FULL;
      CREATE PUBLICATION by_hand_${root.name} FOR TABLE ${root.name}${member}`);
    const [row] = await database.query<{ oid: number }>(`SELECT '${root.name}_x'::regclass::oid::int8::float8 AS oid`);
    const leaf = { oid: row?.oid ?? 0, schema: 'public', name: `${root.name}_x` };
    const publication = createPublication({ pool, publication: `by_hand_${root.name}`, isManual: true, ...kept() });

    expect((await publication.review([root, leaf])).faults).toEqual([]);
  });

  test('what is known of a table that was renamed is kept when its old name is no longer followed', async () => {
    const tree = await table('called', '(id int) PARTITION BY LIST (id)');
    const options = kept();
    const publication = createPublication({ pool, publication: 'pub', isManual: false, ...options });
    await publication.add([tree]);
    await database.query('ALTER TABLE called RENAME TO otherwise');
    await publication.drop([tree]);
    const whileFollowed = options.trees.treeOf(tree.oid)?.oid;
    await publication.drop([{ ...tree, name: 'otherwise' }]);

    expect([whileFollowed, options.trees.treeOf(tree.oid)]).toEqual([tree.oid, undefined]);
  });

  test('a publication that names the root, or a partition that is not logged, is refused and found', async () => {
    const named = await table('named', '(id int) PARTITION BY LIST (id)');
    await database.query(`
      CREATE TABLE named_a PARTITION OF named DEFAULT; CREATE PUBLICATION as_root FOR TABLE named WITH (publish_via_partition_root)`);
    const quiet = await table('quiet', '(id int) PARTITION BY LIST (id)');
    await database.query('CREATE UNLOGGED TABLE quiet_a PARTITION OF quiet DEFAULT; ALTER PUBLICATION pub ADD TABLE quiet');
    const faults = await Promise.all([['as_root', named], ['pub', quiet]].map(async ([publication, relation]) => {
      const options = { pool, publication: publication as string, isManual: false, ...kept() };
      return (await createPublication(options).review([relation as typeof named])).faults.map(({ fault }) => fault);
    }));
    const refusals = [await refusalOf(named, { publication: 'as_root' }), await refusalOf(quiet)];
    await database.query('ALTER PUBLICATION pub DROP TABLE quiet');

    expect({ faults, refusals }).toMatchObject({
      faults: [['isToldAsRoot'], ['isUntold']],
      refusals: [
        { code: 'published_as_root', message: expect.stringContaining('publish_via_partition_root = false') },
        { code: 'partition_not_replicated', message: expect.stringContaining('quiet_a') },
      ],
    });
  });
});

test.each([
  ['a table', 'busy', '(id int)', ''],
  ['a partition', 'busy_part', '(id int) PARTITION BY RANGE (id)', 'CREATE TABLE busy_part PARTITION OF busy_parts DEFAULT'],
])('publishes no table before the transactions that have written to %s are over', async (_, written, columns, partition) => {
  const name = partition === '' ? 'busy' : 'busy_parts';
  const busy = await table(name, columns);
  await database.query(`${partition}; ALTER TABLE ${written} REPLICA IDENTITY FULL`);
  const writer = await database.session();
  await writer.query(`BEGIN; INSERT INTO ${written} VALUES (1)`);
  let isPublished = false;

  const adding = createPublication({ pool, publication: 'pub', isManual: false, ...kept() }).add([busy]).then(() => (isPublished = true));
  await database.until(`SELECT FROM pg_locks WHERE relation = '${written}'::regclass AND mode = 'ShareLock' AND NOT granted`);
  const whileOpen = isPublished;
  await writer.query('COMMIT');
  await adding;

  expect({ whileOpen, isPublished }).toEqual({ whileOpen: false, isPublished: true });
});

test.each([
  ['gets its replica identity', 'AccessExclusiveLock', ''],
  ['is waited for', 'ShareLock', 'FULL'],
])('while a partition that is written to %s, no other table of its tree is held', async (_, mode, identity) => {
  const name = `apart_${mode.toLowerCase()}`;
  const root = await table(name, '(id int) PARTITION BY LIST (id)');
  await database.query(`
    CREATE TABLE ${name}_a PARTITION OF ${name} FOR VALUES IN (1); CREATE TABLE ${name}_b PARTITION OF ${name} FOR VALUES IN (2);
    ${identity === '' ? '' : `ALTER TABLE ${name}_a REPLICA IDENTITY FULL; ALTER TABLE ${name}_b REPLICA IDENTITY FULL`}`);
  const writer = await database.session();
  await writer.query(`BEGIN; INSERT INTO ${name}_b VALUES (2)`);
  const adding = createPublication({ pool, publication: 'pub', isManual: false, ...kept() }).add([root]);
  await database.until(`
    SELECT FROM pg_locks waiting WHERE relation = '${name}_b'::regclass AND mode = '${mode}' AND NOT granted AND NOT EXISTS (
      SELECT FROM pg_locks held
      WHERE held.pid = waiting.pid AND held.granted AND held.relation IN ('${name}'::regclass, '${name}_a'::regclass))`);
  await writer.query('COMMIT');
  const { added } = await adding;

  expect({ added, identities: await database.query(`SELECT relreplident AS is FROM pg_class WHERE relname IN ('${name}_a', '${name}_b')`) })
    .toEqual({ added: [root], identities: [{ is: 'f' }, { is: 'f' }] });
});

testOfParts('a table that is published with other rows for a while has left, and one that joins with a table above has not', async () => {
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...kept() });
  const filtered = await table('filtered');
  const root = await table('joined', '(id int) PARTITION BY RANGE (id)');
  await database.query('CREATE TABLE joined_part PARTITION OF joined DEFAULT');
  const [row] = await database.query<{ oid: number }>("SELECT 'joined_part'::regclass::oid::int8::float8 AS oid");
  const part = { oid: row?.oid ?? 0, schema: 'public', name: 'joined_part' };
  await publication.add([filtered, part]);
  await publication.add([root]);
  const { faults: before } = await publication.review([filtered, part, root]);

  await database.query(`ALTER PUBLICATION pub DROP TABLE filtered; ALTER PUBLICATION pub ADD TABLE filtered WHERE (id > 1);
    ALTER PUBLICATION pub DROP TABLE filtered; ALTER PUBLICATION pub ADD TABLE filtered`);
  const { faults } = await publication.review([filtered, part, root]);

  await publication.drop([root, part, filtered]);
  expect({ before, faults }).toEqual({ before: [], faults: [{ relation: filtered, fault: 'hasLeft' }] });
});

testOfParts('a table that is published with other rows is whole where its schema is published as well', async () => {
  await database.query('CREATE SCHEMA whole; CREATE SCHEMA parted');
  const relations = [];
  for (const schema of ['whole', 'parted']) {
    const { oid } = await table(`${schema}.filtered`, '(id int)');
    await database.query(`ALTER TABLE ${schema}.filtered REPLICA IDENTITY FULL`);
    relations.push({ oid, schema, name: 'filtered' });
  }
  const filtered = relations.map(({ schema }) => `TABLE ${schema}.filtered WHERE (id > 0)`);
  await database.query(`CREATE PUBLICATION of_schema FOR ${filtered.join()}, TABLES IN SCHEMA whole`);

  const { faults } = await createPublication({ pool, publication: 'of_schema', isManual: true, ...kept() }).review(relations);

  expect(faults).toEqual([{ relation: relations[1], fault: 'hasLeft' }]);
});

test.each(['review', 'drop'] as const)('nothing is kept of a table that is gone: %s', async (call) => {
  const [gone, renamed] = [await table(`gone_${call}`), await table(`renamed_${call}`, '(id int) PARTITION BY LIST (id)')];
  const options = kept();
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...options });
  await publication.add([gone, renamed]);
  const before = options.memberships.membershipOf(gone.oid)?.oid;
  await database.query(`DROP TABLE gone_${call}; ALTER TABLE renamed_${call} RENAME TO other_${call}`);

  await publication[call]([gone, renamed]);

  const { memberships, trees: noted } = options;
  const left = [gone, renamed].map(({ oid }) => [memberships.membershipOf(oid)?.oid, noted.treeOf(oid)?.oid]);
  expect([before, left]).toEqual([gone.oid, [[undefined, undefined], [renamed.oid, renamed.oid]]]);
});

test('who alters a table that is published keeps no other one from being looked at and published', async () => {
  const [altered, other, fresh] = [await table('being_altered'), await table('beside_it'), await table('new_beside_it')];
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...kept() });
  await publication.add([altered, other]);
  const operator = await database.session();
  await operator.query('BEGIN; LOCK TABLE being_altered IN ACCESS EXCLUSIVE MODE');

  const { faults } = await publication.review([altered, other]);
  const added = await publication.add([fresh]).catch((error: unknown) => error);

  await operator.query('ROLLBACK');
  await publication.drop([altered, other, fresh]);
  expect({ faults, added }).toEqual({ faults: [], added: { added: [fresh], turns: [] } });
});

test.each([
  ['a table', '(id int)', []],
  ['a partition', '(id int) PARTITION BY LIST (id)', ['CREATE TABLE slow_1 PARTITION OF slow DEFAULT']],
])('who writes to %s is waited for, however short a time the role allows a statement', async (_, columns, partitions) => {
  const slow = await table('slow', columns);
  for (const sql of partitions) await database.query(sql);
  await database.query(`ALTER DATABASE ${database.name} SET statement_timeout = '100ms'`);
  const hurried = createPool({ target: targetOf(database.url), applicationName: 'hurried', max: 1 });
  await hurried.open();
  await database.query(`ALTER DATABASE ${database.name} RESET statement_timeout`);
  const writer = await database.session();
  await writer.query('BEGIN; INSERT INTO slow VALUES (1)');

  const adding = createPublication({ pool: hurried, publication: 'pub', isManual: false, ...kept() }).add([slow]);
  await database.until(`SELECT FROM pg_stat_activity WHERE application_name = 'hurried' AND wait_event_type = 'Lock'
    AND clock_timestamp() - query_start > interval '200ms'`);
  await writer.query('COMMIT');
  const { added } = await adding;

  await hurried.close();
  await database.query('DROP TABLE slow');
  expect(added).toEqual([slow]);
});

test('a table that is not logged any more is not published by what publishes all tables', async () => {
  const logged = await table('once_logged');
  await database.query('ALTER TABLE once_logged REPLICA IDENTITY FULL; CREATE PUBLICATION of_all FOR ALL TABLES');
  const publication = createPublication({ pool, publication: 'of_all', isManual: false, ...kept() });
  const before = await publication.review([logged]);
  await database.query('ALTER TABLE once_logged SET UNLOGGED');

  const after = await publication.review([logged]);

  await database.query('DROP PUBLICATION of_all');
  expect([before.faults, after.faults]).toEqual([[], [{ relation: logged, fault: 'isNotPublished' }]]);
});

test('a table that is gone can be dropped', async () => {
  const gone = { oid: 1, schema: 'nowhere', name: 'gone' };

  await expect(createPublication({ pool, publication: 'pub', isManual: false, ...kept() }).drop([gone])).resolves.toBeUndefined();
});

testOfParts.each([
  ['some rows', 'some_rows', 'WHERE (id < 0)', ''],
  ['some columns', 'some_columns', '(id)', ''],
  ['some rows of a partition', 'some_part', 'WHERE (id < 0)', '_a'],
])('a table of which somebody publishes %s alone is found, and published as a whole', async (_, name, part, of) => {
  const relation = await table(name, of === '' ? '(id int, title text)' : '(id int) PARTITION BY LIST (id)');
  if (of !== '') await database.query(`CREATE TABLE ${name}_a PARTITION OF ${name} DEFAULT`);
  const inPart = `TABLE ${name}${of} ${part}`;
  await database.query(`ALTER PUBLICATION pub ADD ${inPart}; CREATE PUBLICATION hand_${name} FOR ${inPart}`);
  const publication = createPublication({ pool, publication: 'pub', isManual: false, ...kept() });
  const byHand = await refusalOf(relation, { publication: `hand_${name}`, isManual: true });
  const weak = await refusalOf(relation, { publication: `hand_${name}`, pool: weakPool });
  const { faults } = await publication.review([relation]);
  await publication.add([relation]);
  const [whole] = await database.query(`
    SELECT bool_and(prqual IS NULL AND prattrs IS NULL) AS "isWhole", count(*)::int FROM pg_publication_rel
    WHERE prpubid = (SELECT oid FROM pg_publication WHERE pubname = 'pub') AND prrelid::regclass::text LIKE '${name}%'`);
  await publication.drop([relation]);

  const refused = { code: 'published_in_part', message: expect.stringContaining(`DROP TABLE "public"."${name}${of}"`) as string };
  expect({ byHand, weak, faults, whole }).toMatchObject({
    byHand: refused, weak: of === '' ? refused : { code: 'replica_identity_not_full' },
    faults: [{ relation, fault: of === '' ? 'hasLeft' : 'isNotPublished' }], whole: { isWhole: true, count: of === '' ? 1 : 2 },
  });
});

test('each refusal says what it is, in the words of the wire', async () => {
  const plain = await table('plain');
  const full = await table('full_identity');
  const locked = await table('locked');
  await database.query(`CREATE PUBLICATION part_of_it FOR TABLE plain WITH (publish = 'insert')`);
  await database.query('CREATE PUBLICATION manual FOR TABLE plain; ALTER TABLE full_identity REPLICA IDENTITY FULL');
  const written = await table('written');
  await database.query('ALTER TABLE written REPLICA IDENTITY FULL');
  const holder = await database.session();
  await holder.query("SET application_name = 'nightly job'; BEGIN");
  await holder.query('LOCK TABLE locked; INSERT INTO written VALUES (1)');
  const { rows: [seen] } = await holder.query<{ pid: number; since: Date }>('SELECT pg_backend_pid() AS pid, now() AS since');
  const [pid, since] = [seen?.pid, seen?.since.toISOString()];
  const reader = await database.session();
  await reader.query('BEGIN; SELECT FROM written; SELECT FROM plain'); // Which is in the way of nothing.

  const refusals = {
    renamed: await refusalOf({ ...plain, oid: 1 }),
    missing: await refusalOf(plain, { publication: 'nothing' }),
    incomplete: await refusalOf(plain, { publication: 'part_of_it' }),
    manual: await refusalOf(full, { publication: 'manual', isManual: true }),
    manualIdentity: await refusalOf(plain, { publication: 'manual', isManual: true }),
    weak: await refusalOf(full, { pool: weakPool }),
    weakIdentity: await refusalOf(plain, { pool: weakPool, publication: 'manual' }),
    locked: await refusalOf(locked),
    written: await refusalOf(written),
  };
  await holder.query('ROLLBACK');
  await reader.query('ROLLBACK');

  const holders = [
    expect.stringMatching(`^process ${pid} of Postgres, application "nightly job", role ".*", from 127.0.0.1, since ${since}$`),
  ];
  expect(refusals).toEqual({
    renamed: told('table_dropped', 'Database table "public.plain" has been dropped or renamed', 409),
    missing: told('publication_missing', 'Publication "nothing" not found in the database'),
    incomplete: told(
      'publication_incomplete', 'Publication "part_of_it" does not publish all required operations: INSERT, UPDATE, DELETE, TRUNCATE',
    ),
    manual: told(
      'table_not_published',
      'Database table "public.full_identity" is missing from the publication "manual" ' +
        'and the ELECTRIC_MANUAL_TABLE_PUBLISHING setting prevents Electric from adding it',
    ),
    manualIdentity: told('replica_identity_not_full', 'Database table "public.plain" does not have its replica identity set to FULL'),
    weak: told(
      'table_not_published',
      'Database table "public.full_identity" is missing from the publication "pub" and Electric lacks privileges to add it',
    ),
    weakIdentity: told('replica_identity_not_full', 'Database table "public.plain" does not have its replica identity set to FULL'),
    locked: { ...told('lock_timeout', 'Snapshot timed out while waiting for a table lock'), holders },
    written: { ...told('lock_timeout', 'Snapshot timed out while waiting for a table lock'), holders },
  });
});

test('who alters the publication is named, where that is waited for', async () => {
  const relation = await table('joins_late');
  await database.query('CREATE PUBLICATION altered');
  const holder = await database.session();
  await holder.query('BEGIN; CREATE TABLE joins_first (); ALTER PUBLICATION altered ADD TABLE joins_first');

  const refusal = await refusalOf(relation, { publication: 'altered' });

  await holder.query('ROLLBACK');
  expect(refusal).toMatchObject({ code: 'lock_timeout', holders: [expect.stringMatching(/^process /)] });
});

test('nobody is named where several are refused together, for each is tried by itself, nor who has ended meanwhile', async () => {
  const relations = [await table('held'), await table('not_held')] as const;
  const holder = await database.session();
  await holder.query('BEGIN; LOCK TABLE held');
  const query: DatabasePool['query'] = async (sql, params) => {
    if (sql.includes('pg_locks')) await holder.query('ROLLBACK');
    return await pool.query(sql, params);
  };
  const late = new Proxy(pool, { get: (real, name): unknown => (name === 'query' ? query : Reflect.get(real, name)) });
  const port = await openPort(publicationPort({ pool, publication: 'pub', isManual: false, ...kept() }));

  const { error: ofSeveral } = await port.ask({ type: 'addRelations', relations });
  const ofOne = await refusalOf(relations[0], { pool: late });

  const refusal = told('lock_timeout', 'Snapshot timed out while waiting for a table lock');
  expect([ofSeveral, ofOne]).toEqual([refusal, refusal]);
});

testOfGenerated('a publication without generated columns is refused with the statement that mends it', async () => {
  const sums = await table('sums');
  await database.query(`
    ALTER TABLE sums ADD COLUMN twice int GENERATED ALWAYS AS (id * 2) STORED;
    CREATE PUBLICATION without_generated WITH (publish_generated_columns = none)`);

  const refusal = await refusalOf(sums, { publication: 'without_generated' });

  expect(refusal).toEqual(told(
    'generated_columns_not_carried',
    'Database table "public.sums" has generated columns that the publication "without_generated" does not carry (twice): ' +
      'with its replica identity set to FULL, Postgres would refuse every UPDATE and DELETE on it. Make them STORED, and let the ' +
      'publication carry them: ALTER PUBLICATION "without_generated" SET (publish_generated_columns = stored). That counts as an ' +
      'alteration of the publication: within the refresh period all shapes start over',
  ));
});
