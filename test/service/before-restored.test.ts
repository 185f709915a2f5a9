/** What is stored is served as soon as it is known, while nobody follows it yet: a reader waits for no other shape. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Message } from '../../src/otp/process.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { readShape, ShapeFollower, type ShapeResponse } from '../support/service/shape-follower.ts';
import { removeDirectory, temporaryDirectory } from '../support/storage/temporary-directory.ts';

const PLAIN = { table: 'items' };
const OUTER = { table: 'items', where: 'parent IN (SELECT id FROM parents WHERE active)' };
const KEY = '"public"."items"/"10"';
let database: TestDatabase;
let service: ServiceInProcess;
let directory: string;

beforeEach(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE parents (id integer PRIMARY KEY, active boolean); CREATE TABLE items (id integer PRIMARY KEY, parent integer);
    INSERT INTO parents VALUES (1, true); INSERT INTO items VALUES (10, 1), (20, 2)`);
  directory = temporaryDirectory();
  service = await startServiceInProcess({ databaseUrl: database.url, flags: { 'storage-dir': directory, 'enable-deletion': true } });
});

afterEach(async () => {
  await service.remove();
  removeDirectory(directory);
  await database.drop();
});

/** A client of each, when all their first rows are stored, and those of the inner shape: nothing less comes back. */
async function stored(): Promise<readonly ShapeFollower[]> {
  let left = 3;
  const areComplete = new Promise<void>((done) => {
    service.runtime.trace((record) => {
      if (record.type !== 'deliver' || record.message.type !== 'snapshot.completed' || record.to.includes('snapshotter')) return;
      left -= 1;
      if (left === 0) done();
    });
  });
  const followers = await Promise.all([PLAIN, OUTER].map((params) => new ShapeFollower(service.shapeUrl, params).catchUp()));
  await areComplete;
  return followers;
}

/** All processes of shapes begin anew, up to where no Consumer is there. @returns how they go on. */
async function restartUntilKnown(): Promise<() => Promise<void>> {
  const { runtime } = service;
  await new Promise<void>((done) => {
    const stop = runtime.trace((record) => {
      if (record.type !== 'deliver' || record.message.type !== 'shapes.entered') return;
      runtime.suspend('@consumers');
      stop();
      done();
    });
    runtime.exit('@shape-cache', 'kill');
  });
  return async () => {
    runtime.resume('@consumers');
    await activeAgain(service);
  };
}

const read = (params: Readonly<Record<string, string>>): Promise<ShapeResponse> => readShape(service.shapeUrl, params);

test('a shape, and one that depends on others, is read from the start and from its end, and a live request gets what comes', async () => {
  const followers = await stored();
  const goOn = await restartUntilKnown();

  const fromStart = await Promise.all([PLAIN, OUTER].map((params) => read({ ...params, offset: '-1' })));
  const fromEnd = await Promise.all(followers.map((follower) => follower.catchUp()));
  const level = service.status();
  const live = followers.map((follower) => follower.poll());
  await database.query('INSERT INTO items VALUES (30, 1)');
  await goOn();
  await Promise.all(live);
  for (const follower of followers) await expect.poll(async () => (await follower.catchUp()).rows.has('"public"."items"/"30"')).toBe(true);

  const started = fromStart.map(({ status, handle }) => ({ status, handle }));
  expect({ level, started, refetches: fromEnd.map((each) => each.refetches) }).toEqual({
    level: { level: 'starting', isReadable: true, why: 'Timeout waiting for shape metadata to be loaded' },
    started: followers.map(({ handle }) => ({ status: 200, handle })),
    refetches: [0, 0],
  });
});

test.each([
  ['whose Consumer is on its way', PLAIN, OUTER],
  ['that waits for others', OUTER, PLAIN],
])('one %s and that is damaged is condemned by its first reader, which is told, and the others come back', async (_, of, ofOther) => {
  await database.query('INSERT INTO items SELECT id, 1 FROM generate_series(100, 700) AS id'); // So many that they have a file.
  const followers = await stored();
  const [damaged, whole] = of === PLAIN ? followers : followers.toReversed();
  const goOn = await restartUntilKnown();
  const notes = warnings();
  flipBit(damaged?.handle);

  const { status } = await read({ ...of, offset: '-1' });
  await goOn();
  const [anew, kept] = [await read({ ...of, offset: '-1' }), await read({ ...ofOther, offset: '-1' })];

  expect({ status, anew: [anew.status, anew.handle === damaged?.handle], kept: [kept.status, kept.handle === whole?.handle] }).toEqual({
    status: 409, anew: [200, false], kept: [200, true],
  });
  expect(notes).toMatchObject([{ what: 'shape.damaged', handle: damaged?.handle, table: 'public.items' }]);
});

test('what asks of a stored shape is answered, and what needs all shapes waits for them', async () => {
  const [plain, outer] = await stored();
  const [inserted] = await database.query('INSERT INTO items VALUES (30, 1) RETURNING xmin::text AS xid');
  await Promise.all([plain?.poll(), outer?.poll()]);
  const goOn = await restartUntilKnown();
  const asked = queries();
  const answered: string[] = [];
  const note = async (name: string, answer: Promise<{ readonly status: number }>): Promise<readonly [string, number]> => {
    const { status } = await answer;
    answered.push(name);
    return [name, status];
  };

  const subsetOf = (params: Readonly<Record<string, string>>, { handle = '', offset = '' }: Partial<ShapeFollower> = {}) => {
    return read({ ...params, handle, offset, subset__where: 'id > 0' });
  };

  const later = [
    note('new shape', patient(() => read({ table: 'parents', offset: '-1' }))),
    note('subset of one on others', patient(() => subsetOf(OUTER, outer))),
    note('DELETE', patient(() => fetch(`${service.shapeUrl}?handle=${plain?.handle}`, { method: 'DELETE' }))),
  ];
  const atOnce = await Promise.all([
    note('subset', subsetOf(PLAIN, plain)),
    note('txid', fetch(`${service.url}/v1/txid/${inserted?.['xid']}?handle=${plain?.handle}`)),
    note('explain', fetch(`${service.url}/v1/shape/explain?handle=${outer?.handle}&key=${encodeURIComponent(KEY)}`)),
  ]);
  const before = { answered: [...answered].sort(), asked: asked.length };
  await goOn();

  expect({ ...before, atOnce, later: await Promise.all(later) }).toEqual({
    answered: ['explain', 'subset', 'txid'],
    asked: 2, // For the subset, and for the row that is explained.
    atOnce: [['subset', 200], ['txid', 200], ['explain', 200]],
    later: [['new shape', 200], ['subset of one on others', 200], ['DELETE', 202]],
  });
});

/** Who has waited for some seconds is told to come again. */
async function patient<Answer extends { readonly status: number }>(ask: () => Promise<Answer>): Promise<Answer> {
  for (;;) {
    const answer = await ask();
    if (answer.status !== 503) return answer;
  }
}

/** What an operator reads from now on. */
function warnings(): readonly Message[] {
  return delivered(({ type, level }) => type === 'note' && level === 'warn');
}

/** Of subsets, and of rows that are explained. */
function queries(): readonly Message[] {
  return delivered(({ type }) => type === 'querySubset');
}

function delivered(isSought: (message: Message) => boolean): readonly Message[] {
  const found: Message[] = [];
  service.runtime.trace((record) => {
    if (record.type === 'deliver' && isSought(record.message)) found.push(record.message);
  });
  return found;
}

function flipBit(handle: string | undefined): void {
  const shapes = join(directory, 'shapes');
  const name = readdirSync(shapes, { recursive: true, encoding: 'utf8' }).find((each) => each.includes(`${handle}.snapshot`)) ?? '';
  const bytes = readFileSync(join(shapes, name));
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  writeFileSync(join(shapes, name), bytes);
}
