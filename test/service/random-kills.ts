/**
 * The built service under writes that never pause, killed with `kill -9` at random moments and started again, while strict clients
 * follow: what they were served must come again as it was, and in the end they must have what `SELECT` gives.
 */
import { isDeepStrictEqual } from 'node:util';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { randomTransaction, runTransaction, WRITTEN_TABLE } from '../support/service/random-writes.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

/** Enough to go on while the service is away and comes back. */
const WRITES_PER_KILL = 1000;
const WRITES_PER_POLL = 50;
/** What was served last, of each follower, is asked for again after each kill; at the end all of it is. */
const VERIFIED_PER_KILL = 10;
const CATCH_UP_MS_MAX = 20_000;
const FILTERS = [
  { params: {}, where: 'true' },
  { params: { where: 'size > 10' }, where: 'size > 10' },
  { params: { where: 'done = true', replica: 'full' }, where: 'done' },
];

export interface KillsOptions {
  readonly storageDirectory: string;
  readonly kills: number;
  readonly seed: number;
  /** Logs are compacted: what was served comes again with the same rows, and other bytes. */
  readonly isCompacting?: boolean;
}

/** Of each follower, in the order of the filters. */
export interface KillsOutcome {
  readonly held: readonly (readonly unknown[])[];
  readonly selected: readonly (readonly unknown[])[];
  readonly handlesBefore: readonly unknown[];
  readonly handlesAfter: readonly unknown[];
  readonly refetches: readonly number[];
  /** Of the last service, which is stopped in good order. */
  readonly exitCode: number | null;
}

/** @throws when something that was served is served otherwise after a kill. */
export async function runKills(database: TestDatabase, options: KillsOptions): Promise<KillsOutcome> {
  const { storageDirectory, kills, seed, isCompacting = false } = options;
  await database.query(WRITTEN_TABLE);
  const random = seededRandom(seed);
  const environment = {
    ARMATURE_LONG_POLL_TIMEOUT: '500',
    ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '4000',
    ARMATURE_KEEP_EVERY_UPDATE: String(!isCompacting),
  };
  const port = await freePort();
  const start = () => startServiceProcess({ databaseUrl: database.url, storageDirectory, port, environment });
  let service = await start();
  const writer = await startWriting(database, seededRandom(seed + 1));
  writer.allow(WRITES_PER_KILL);
  const followers = FILTERS.map(({ params }) => new ShapeFollower(service.shapeUrl, { table: 'items', ...params }));
  await Promise.all(followers.map((follower) => follower.catchUp()));
  const handlesBefore = followers.map(({ handle }) => handle);

  for (let kill = 0; kill < kills; kill += 1) {
    await pollSome(followers, writer, random);
    service = await killAmidWrites(service, start, writer);
    if (!isCompacting) for (const follower of followers) await follower.verifyServed(VERIFIED_PER_KILL);
  }
  await writer.end();
  if (!isCompacting) for (const follower of followers) await follower.verifyServed();
  const selected = await Promise.all(FILTERS.map(({ where }) => selectedBy(database, where)));
  const held = await heldInTheEnd(followers, selected);
  return {
    held,
    selected,
    handlesBefore,
    handlesAfter: followers.map(({ handle }) => handle),
    refetches: followers.map(({ refetches }) => refetches),
    exitCode: await service.stop(),
  };
}

interface Writer {
  /** Lets it write so many further transactions, one right behind the other. */
  allow(transactions: number): void;
  /** Resolves once everything that was allowed is written. */
  end(): Promise<void>;
}

/** Writes while the others read and kill, but not faster than readers of small chunks can follow on a busy machine. */
async function startWriting(database: TestDatabase, random: Random): Promise<Writer> {
  const session = await database.session();
  let writing = Promise.resolve();
  const write = async (transactions: number): Promise<void> => {
    for (let left = transactions; left > 0; left -= 1) {
      await runTransaction((sql, values) => session.query(sql, values && [...values]), randomTransaction(random));
    }
  };
  return {
    allow(transactions) {
      writing = writing.then(() => write(transactions));
    },
    end: () => writing,
  };
}

async function pollSome(followers: readonly ShapeFollower[], writer: Writer, random: Random): Promise<void> {
  for (let polls = random.below(12); polls > 0; polls -= 1) {
    writer.allow(WRITES_PER_POLL);
    await Promise.all(followers.map((follower) => follower.poll()));
  }
}

async function killAmidWrites(service: ServiceProcess, start: () => Promise<ServiceProcess>, writer: Writer): Promise<ServiceProcess> {
  writer.allow(WRITES_PER_KILL);
  await service.kill();
  return await start();
}

function selectedBy(database: TestDatabase, where: string): Promise<unknown[]> {
  return database.query(`SELECT id::text, title, size::text, done FROM items WHERE ${where} ORDER BY items.id`);
}

/** Reads on until all have what was selected, or time is over: what they have then. */
async function heldInTheEnd(followers: readonly ShapeFollower[], selected: readonly unknown[]): Promise<unknown[][]> {
  const endMs = systemClock.nowMs() + CATCH_UP_MS_MAX;
  for (;;) {
    await Promise.all(followers.map((follower) => follower.catchUp()));
    const held = followers.map((follower) => byId(follower).map(asSelected));
    if (isDeepStrictEqual(held, selected) || systemClock.nowMs() > endMs) return held;
    await Promise.all(followers.map((follower) => follower.poll()));
  }
}

type Row = Readonly<Record<string, string | null>>;

function byId(follower: ShapeFollower): Row[] {
  return [...follower.rows.values()].sort((left, right) => Number(left['id']) - Number(right['id']));
}

function asSelected({ done, ...row }: Row): unknown {
  return { ...row, done: done === 't' || done === 'true' };
}
