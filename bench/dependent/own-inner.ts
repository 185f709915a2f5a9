/**
 * Many shapes, each with an inner shape of its own: what a pair needs of memory, and whether commits cost more among many pairs
 * than with one. The service is held still while a backlog is written, so that the writer is not part of what is measured.
 * A backlog for one shape reaches it in batches, and its moves as few splices; where each commit concerns another shape, none are
 * joined, and each splice reads by itself what of the backlog lies behind its place and touched its table.
 */
import type { Database } from '../database.ts';
import type { ProcessInspector, ProcessMemory } from '../process-inspector.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { createShapes } from './many-shapes.ts';
import type { Row } from './report.ts';
import { pause, spentDuring, spentUntilRest, timed, type Spent } from '../timing.ts';

const SELECTS = 200;

export interface OwnInnerWorld {
  readonly database: Database;
  readonly service: Service;
  readonly inspector: ProcessInspector;
}

export interface OwnInnerOptions {
  readonly pairs: number;
  readonly commits: number;
  readonly settleMs: number;
}

/** Every user is in a project that stays, and in one that changes. */
const TABLES = `
  CREATE TABLE members (user_id int, nth int, project_id int NOT NULL, PRIMARY KEY (user_id, nth));
  CREATE TABLE works (id int PRIMARY KEY, project_id int NOT NULL, title text);
  CREATE INDEX ON members (user_id);
  CREATE INDEX ON works (project_id);
  CREATE PROCEDURE commit_each(statement text, total int, spread int) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 1..total LOOP EXECUTE statement USING 1 + i % spread, i; COMMIT; END LOOP;
  END $$`;

const ON_OUTER = "UPDATE works SET title = 'commit ' || $2 WHERE id = $1";
/** Back and forth between two projects: each time a value of the inner shape goes and another one comes. */
const ON_INNER = 'UPDATE members SET project_id = 1000000 + $1 * 2 + 1 - project_id % 2 WHERE user_id = $1 AND nth = 2';

export async function ownInner({ database, service, inspector }: OwnInnerWorld, options: OwnInnerOptions): Promise<Row[]> {
  const { pairs, commits, settleMs } = options;
  await fill(database, pairs);
  const readers = Array.from({ length: pairs }, (_, index) => new ShapeReader(service.url, { table: 'works', where: whereOf(index + 1) }));
  const write = (statement: string, spread = 1): Promise<Spent> => backlog(database, service, { statement, commits, spread });
  await createShapes(readers.slice(0, 1)); // What the first of all shapes brings with it is not counted.
  const alone = { outer: await write(ON_OUTER), inner: await write(ON_INNER) };
  const before = await settled(inspector, settleMs);
  const creation = await spentDuring(service, () => createShapes(readers.slice(1)));
  const memory = memoryOf('pair', before, await settled(inspector, settleMs), pairs - 1);
  const among = { outer: await write(ON_OUTER), inner: await write(ON_INNER) };
  const spread = { outer: await write(ON_OUTER, pairs), inner: await write(ON_INNER, pairs) };
  await createShapes(readers); // A shape that the moves have ended would say so.
  return [
    ...memory,
    creationRow(creation, await selectMs(database, pairs), pairs - 1),
    ...(['outer', 'inner'] as const).flatMap((table) => [
      rateRow(`commits to the ${table} table, one of ${pairs} shapes concerned`, among[table], alone[table], commits),
      rateRow(`commits to the ${table} table, each concerns another shape`, spread[table], alone[table], commits),
    ]),
  ];
}

async function fill(database: Database, users: number): Promise<void> {
  await database.query(TABLES);
  await database.query(`
    INSERT INTO members SELECT i, 1, i FROM generate_series(1, ${users}) i;
    INSERT INTO members SELECT i, 2, 1000000 + 2 * i FROM generate_series(1, ${users}) i;
    INSERT INTO works SELECT i, i, 'first' FROM generate_series(1, ${users}) i;
    INSERT INTO works SELECT 1000000 + i, 1000000 + i, 'second' FROM generate_series(2, ${2 * users + 1}) i`);
  await database.query('VACUUM (ANALYZE) members, works');
}

function whereOf(user: number): string {
  return `project_id IN (SELECT project_id FROM members WHERE user_id = ${user})`;
}

interface Backlog {
  readonly statement: string;
  readonly commits: number;
  /** The rows of how many users are written. */
  readonly spread: number;
}

async function backlog(database: Database, service: Service, { statement, commits, spread }: Backlog): Promise<Spent> {
  service.hold();
  await database.query('SET synchronous_commit = off');
  await database.query(`CALL commit_each($statement$${statement}$statement$, ${commits}, ${spread})`);
  await database.query('SET synchronous_commit = on');
  return await spentUntilRest(service, async () => service.resume());
}

/** After its checkpoint, for which there is time, and a collection. */
export async function settled(inspector: ProcessInspector, settleMs: number): Promise<ProcessMemory> {
  await pause(settleMs);
  for (let times = 0; times < 3; times += 1) await inspector.collectGarbage();
  return await inspector.memory();
}

async function selectMs(database: Database, users: number): Promise<number> {
  const elapsedMs = await timed(async () => {
    for (let user = 1; user <= SELECTS; user += 1) await database.query(`SELECT * FROM works WHERE ${whereOf(1 + (user % users))}`);
  });
  return elapsedMs / SELECTS;
}

export function memoryOf(of: string, before: ProcessMemory, after: ProcessMemory, count: number): Row[] {
  const each = (key: keyof ProcessMemory): number => (after[key] - before[key]) / count / 1000;
  return [
    { what: `memory of each of ${count} ${of}s: resident`, measured: each('residentBytes'), unit: 'kB' },
    {
      what: `memory of each of ${count} ${of}s: heap`,
      measured: each('heapBytes'),
      unit: 'kB',
      detail: `array buffers ${each('arrayBufferBytes').toFixed(2)} kB`,
    },
  ];
}

function creationRow({ elapsedMs, cpuMicros }: Spent, figure: number, pairs: number): Row {
  return {
    what: `time to make each of ${pairs} pairs`,
    measured: elapsedMs / pairs,
    unit: 'ms',
    against: { what: 'SELECT', figure },
    detail: `CPU ${(cpuMicros / 1000 / pairs).toFixed(2)} ms, all in ${(elapsedMs / 1000).toFixed(1)} s`,
  };
}

function rateRow(what: string, spent: Spent, alone: Spent, commits: number): Row {
  const cpu = (each: Spent): string => (each.cpuMicros / commits).toFixed(0);
  const perSecond = ({ elapsedMs }: Spent): number => (commits / elapsedMs) * 1000;
  return {
    what,
    measured: perSecond(spent),
    unit: '/s',
    against: { what: 'with one shape', figure: perSecond(alone) },
    detail: `CPU ${cpu(spent)} µs for each, with one shape ${cpu(alone)} µs`,
  };
}
