/**
 * Compaction as readers see it: whoever has read to anywhere, from whatever generation of the files and from whatever a cache has kept,
 * goes on to the same rows.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { bodyOf } from '../../support/storage/stored-samples.ts';
import { StrictClient, toldOf, type RowOperation, type RowValues } from '../../support/storage/row-lines.ts';
import { CompactingWorld, EAGER } from './compacting-world.ts';

const KEYS = ['a', 'b', 'c'];
const NAMES = ['x', 'y', 'z'];
const TAGS = ['t', 'u'];

type Wish =
  | { readonly kind: 'row'; readonly key: string; readonly isEnd: boolean; readonly values: RowValues; readonly tag: string }
  | { readonly kind: 'control' };

const wish: fc.Arbitrary<Wish> = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('row' as const),
      key: fc.constantFrom(...KEYS),
      isEnd: fc.integer({ min: 0, max: 7 }).map((number) => number === 0),
      values: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom('1', '2', 'a,"}', null), { minKeys: 1 }),
      tag: fc.integer({ min: 0, max: 5 }).map((number) => TAGS[number === 0 ? 1 : 0] as string),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'control' as const }) },
);

type Act =
  | { readonly do: 'transactions'; readonly wishes: readonly (readonly Wish[])[] }
  | { readonly do: 'compact' | 'checkpoint' | 'restart' | 'newClient' }
  | { readonly do: 'read'; readonly client: number; readonly answers: number; readonly mayBeCached: boolean };

const act: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('transactions' as const),
      wishes: fc.array(fc.array(wish, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 20 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('compact' as const, 'checkpoint' as const, 'restart' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('newClient' as const) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('read' as const), client: fc.nat(7), answers: fc.integer({ min: 1, max: 4 }), mayBeCached: fc.boolean(),
    }),
  },
);

/** Of a transaction, before its chunk ends within it. */
const unbroken = fc.constantFrom(0, 300, Infinity);

/** What is in the table, and what becomes of a wish there. */
class Rows {
  readonly all = new Map<string, RowValues>();
  /** By name of a control, what there was when it was written. */
  readonly seen = new Map<string, string>();

  operationOf(wished: Wish): RowOperation {
    if (wished.kind === 'control') return this.control();
    const { key, isEnd, values, tag } = wished;
    const marks = `,"tags":["${tag}"],"removed_tags":[],"active_conditions":[true]`;
    const row = this.all.get(key);
    if (row !== undefined && isEnd) {
      this.all.delete(key);
      return { do: 'delete', key, value: {}, marks };
    }
    const whole = row === undefined ? { x: null, y: null, z: null, ...values } : values;
    this.all.set(key, { ...row, ...whole, id: key, tag });
    return { do: row === undefined ? 'insert' : 'update', key, value: whole, marks };
  }

  private control(): RowOperation {
    const name = `control ${this.seen.size}`;
    this.seen.set(name, toldOf(this.all));
    return { do: 'control', name };
  }
}

interface Follower {
  client: StrictClient;
  at: LogOffset;
}

/** Answers that were no up-to-date: a cache may keep them for ever. */
type Cache = Map<LogOffset, { readonly body: string; readonly end: LogOffset }>;

async function read(world: CompactingWorld, follower: Follower, cache: Cache, mayBeCached: boolean): Promise<boolean> {
  const kept = mayBeCached ? cache.get(follower.at) : undefined;
  const answer = kept ?? (await bodyOf(world.shape.read(follower.at)));
  if (!('body' in answer)) return true;
  follower.client.take(answer.body);
  const isWhole = 'upToDate' in answer && answer.upToDate;
  if (!isWhole) cache.set(follower.at, { body: answer.body, end: answer.end as LogOffset });
  follower.at = answer.end as LogOffset;
  return isWhole;
}

test('from every place, whatever was compacted or cached in between, a client comes to the rows of the table', async () => {
  let compactions = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 8, maxLength: 40 }), fc.constantFrom(200, 600), unbroken, async (acts, bytes, most) => {
      const world = await CompactingWorld.begin(bytes, { ...EAGER, unbrokenBytesMax: most });
      const rows = new Rows();
      const cache: Cache = new Map();
      const followers: Follower[] = [{ client: new StrictClient(), at: BEFORE_ALL }];
      for (const step of acts) {
        if (step.do === 'transactions') for (const wishes of step.wishes) world.append(wishes.map((wished) => rows.operationOf(wished)));
        else if (step.do === 'newClient') followers.push({ client: new StrictClient(), at: BEFORE_ALL });
        else if (step.do === 'read') {
          const follower = followers[step.client % followers.length] as Follower;
          for (let left = step.answers; left > 0 && !(await read(world, follower, cache, step.mayBeCached)); left -= 1);
        } else await world.take(step.do);
      }
      await world.take('compact');
      followers.push({ client: new StrictClient(), at: BEFORE_ALL });
      for (const follower of followers) for (let isWhole = false; !isWhole; isWhole = await read(world, follower, cache, true));
      compactions += world.compactions;
      await world.end();

      const found = followers.map(({ client }) => [toldOf(client.rows), client.seen, client.complaints]);
      expect(found).toEqual(followers.map(() => [toldOf(rows.all), rows.seen, []]));
    }),
    { numRuns: 100 },
  );
  expect(compactions).toBeGreaterThan(40); // Some hundred as a rule.
});

const row = (what: 'insert' | 'update', key: string, value: RowValues): RowOperation => ({ do: what, key, value });

test('what a cache has of one generation is never joined with lines of the next', async () => {
  const world = await CompactingWorld.begin(100); // A chunk for each line.
  const cache: Cache = new Map();
  const readers = [1, 2].map((): Follower => ({ client: new StrictClient(), at: BEFORE_ALL }));
  const [first, second] = readers as [Follower, Follower];
  const history = [row('insert', 'a', { x: '0', y: '0' }), row('update', 'a', { x: '1' }), row('insert', 'b', { x: '0' })];
  for (const operation of [...history, row('update', 'b', { x: '1' }), row('update', 'b', { x: '2' })]) world.append([operation]);
  for (const key of 'cde') world.append([row('insert', key, { x: '0' })]);
  await world.take('compact');
  world.append([row('update', 'a', { y: '2' })]);
  for (const key of 'fghijklmno') world.append([row('insert', key, { x: '0' })]);
  while (!(await read(world, first, cache, false)));
  await world.take('compact');
  for (let fresh = 0; fresh < 4; fresh += 1) await read(world, second, new Map(), false);
  while (!(await read(world, second, cache, true)));
  await world.end();

  expect([world.compactions, second.client.rows.get('a'), toldOf(second.client.rows)]).toEqual([
    2, { id: 'a', x: '1', y: '2', tag: null }, toldOf(first.client.rows),
  ]);
});

test('a transaction that is too large for a chunk is several, which end where they ended before', async () => {
  const world = await CompactingWorld.begin(600, { ...EAGER, unbrokenBytesMax: 1000 });
  const keys = Array.from({ length: 60 }, (_, number) => `k${number}`);
  world.append(keys.map((key) => row('insert', key, { x: '0' })));
  const before = await endsOf(world);
  for (let time = 0; time < 20; time += 1) world.append([row('update', 'k1', { x: String(time) })]);
  await world.take('compact');
  const { sizes, ends } = await endsOf(world);
  await world.end();

  const inside = ends.filter((end) => end.startsWith('10_') && !end.startsWith('10_2199'));
  expect([world.compactions, inside.length > 3, inside.every((end) => before.ends.includes(end))]).toEqual([1, true, true]);
  expect(Math.max(...sizes)).toBeLessThan(1000 + 3 * 600);
});

test('what a cache has behind an end within a transaction lacks nothing that lies before it', async () => {
  const world = await CompactingWorld.begin(600, { ...EAGER, unbrokenBytesMax: 1000 });
  const cache: Cache = new Map();
  const [first, second] = [1, 2].map((): Follower => ({ client: new StrictClient(), at: BEFORE_ALL })) as [Follower, Follower];
  world.append([row('insert', 'a', { x: '0', y: '0' })]);
  world.append([row('update', 'a', { x: '1' })]);
  world.append(Array.from({ length: 40 }, (_, number) => row('insert', `k${number}`, { x: '0' })));
  world.append([row('update', 'a', { y: '2' })]);
  for (let time = 0; time < 40; time += 1) world.append([row('update', 'k1', { x: String(time) })]);
  while (!(await read(world, first, cache, false)));
  await world.take('compact');
  while (!(second.at.startsWith('30_') && cache.has(second.at))) await read(world, second, new Map(), false);
  while (!(await read(world, second, cache, true)));
  await world.end();

  expect([world.compactions, second.client.rows.get('a'), toldOf(second.client.rows)]).toEqual([
    1, { id: 'a', x: '1', y: '2', tag: null }, toldOf(first.client.rows),
  ]);
});

async function endsOf(world: CompactingWorld): Promise<{ readonly sizes: number[]; readonly ends: string[] }> {
  const [sizes, ends]: [number[], string[]] = [[], []];
  for (let at: LogOffset = SNAPSHOT_END; at !== world.shape.end; at = ends.at(-1) as LogOffset) {
    const answer = await bodyOf(world.shape.read(at));
    if (!('body' in answer)) break;
    sizes.push(answer.body.length);
    ends.push(answer.end);
  }
  return { sizes, ends };
}
