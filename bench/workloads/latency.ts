/**
 * How long after a commit was acknowledged to its writer a client has it, where commits come one at a time with a pause between them.
 *
 * The writer waits for its own fsync, as applications do: else it would be told how long Postgres takes to flush its WAL. The limit and the
 * service follow by turns, and who has no turn is held still, so that neither waits for the other.
 */
import { join } from 'node:path';
import type { WayToWait } from '../clients/crowd.ts';
import { followedTable } from '../clients/followed-table.ts';
import { ShapeReader } from '../shape-reader.ts';
import { createSlot } from '../slot-drain.ts';
import { aboveLimitMax, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { median, quantile, spentDuring, type Measured } from '../timing.ts';

/** Not measured: what a process does once. */
const WARM_UP = 20;

export const latencyLongPoll = latencyOf('long-poll', { p50: 0.4, p99: 2, cpu: 0.4 });
export const latencySse = latencyOf('sse', { p50: 0.3, p99: 2, cpu: 0.3 });

function latencyOf(way: WayToWait, bounds: { readonly p50: number; readonly p99: number; readonly cpu: number }): Workload {
  return {
    name: `latency-${way}`,
    sentence: `from the acknowledgement of a commit to a client that waits by ${way}, commits one at a time with a pause between them`,
    size: 300,
    unit: 'commits of one row',
    sizeMin: 3,
    limit: 'a process that reads the commit from a slot, makes it durable by one fdatasync, and answers',
    targets: { p50: aboveLimitMax(bounds.p50), p99: aboveLimitMax(bounds.p99), 'CPU per commit': aboveLimitMax(bounds.cpu) },
    measure: (world, size) => measure(world, size, way),
  };
}

async function* measure(world: World, commits: number, way: WayToWait): AsyncGenerator<Round, void, void> {
  const { database } = world;
  const service = await world.service();
  const ours = await followedTable(database, `live_${way.replace('-', '_')}`);
  const theirs = await followedTable(database, `bare_${way.replace('-', '_')}`);
  const reader = new ShapeReader(service.url, { table: ours.table });
  await reader.readToEnd();
  const slot = await createSlot(database, theirs.table);
  const bare = await world.peer('bare-follower', database.url, slot.name, slot.publication, join(world.directory, `${slot.name}.log`));
  await ours.follow(reader.place, way);
  await theirs.follow({ ...reader.place, url: `http://127.0.0.1:${bare.ready['port']}` }, way);
  try {
    for (const table of [ours, theirs]) await table.delaysOf(Math.min(WARM_UP, commits));
    for (;;) {
      const limit = await alone(bare, service, () => theirs.delaysOf(commits));
      const figures = await alone(service, bare, () => ours.delaysOf(commits));
      yield [
        { what: 'p50', unit: 'ms', measured: median(figures.delaysMs), limit: median(limit.delaysMs) },
        { what: 'p99', unit: 'ms', measured: quantile(figures.delaysMs, 0.99), limit: quantile(limit.delaysMs, 0.99) },
        { what: 'CPU per commit', unit: 'ms', measured: figures.cpuMs / commits, limit: limit.cpuMs / commits },
      ];
    }
  } finally {
    for (const table of [ours, theirs]) table.close();
  }
}

interface Process extends Measured {
  hold(): void;
  resume(): void;
}

interface Delays {
  readonly delaysMs: readonly number[];
  readonly cpuMs: number;
}

async function alone(measured: Process, other: Process, work: () => Promise<readonly number[]>): Promise<Delays> {
  other.hold();
  let delaysMs: readonly number[] = [];
  const { cpuMicros } = await spentDuring(measured, async () => void (delaysMs = await work()));
  other.resume();
  return { delaysMs, cpuMs: cpuMicros / 1000 };
}
