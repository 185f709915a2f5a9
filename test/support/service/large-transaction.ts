/** One large transaction through a service, and what is felt of it by those that it does not concern. */
import { readFileSync, writeFileSync } from 'node:fs';
import { systemClock } from '../../../src/base/clock.ts';
import { invariant } from '../../../src/base/invariant.ts';
import type { ServiceProcess } from './service-process.ts';
import { ShapeFollower } from './shape-follower.ts';

export interface LargeTransactionOptions {
  readonly service: ServiceProcess;
  /** Two sessions. */
  readonly database: { query(sql: string): Promise<unknown> };
  readonly other: { query(sql: string): Promise<unknown> };
  readonly rows: number;
  /** How many shapes its table has. */
  readonly shapes: number;
  /** Rows of an earlier one, behind which the memory counts as idle: an engine that has done nothing yet is smaller. */
  readonly warmUpRows?: number;
}

export interface LargeTransaction {
  /** How many operations each shape has told of. */
  readonly rows: readonly number[];
  /** From the commit until every shape is up to date with it. */
  readonly elapsedMs: number;
  /** Resident memory before and at most. */
  readonly idleBytes: number;
  readonly peakBytes: number;
  readonly slowestHealthMs: number;
  readonly healthCount: number;
  /** From a commit to another table until its live client has the row. */
  readonly slowestOtherMs: number;
  readonly otherCount: number;
}

/** Made before. */
export const TABLES = 'CREATE TABLE large (id integer PRIMARY KEY, body text NOT NULL); CREATE TABLE small (id integer PRIMARY KEY)';

const POLL_EVERY_MS = 20;

export async function largeTransaction(options: LargeTransactionOptions): Promise<LargeTransaction> {
  const { service, database, other, rows, shapes, warmUpRows = 0 } = options;
  const ends = await Promise.all(
    Array.from({ length: shapes }, (_, index) => new LogEnd(service.shapeUrl, { table: 'large', where: `id > ${-index}` }).begin()),
  );
  const bystander = await new ShapeFollower(service.shapeUrl, { table: 'small' }).catchUp();
  await database.query(insertion(1, warmUpRows));
  await Promise.all(ends.map((end) => end.untilGrown(warmUpRows)));
  const memory = memoryOf(service);
  const health = everySoOften(async () => void (await (await fetch(`${service.url}/v1/health`)).text()));
  let next = 0;
  const commits = everySoOften(async () => {
    next += 1;
    await other.query(`INSERT INTO small VALUES (${next})`);
    while (!bystander.rows.has(`"public"."small"/"${next}"`)) await bystander.poll();
  });

  await database.query(insertion(1 + warmUpRows, warmUpRows + rows));
  const startedMs = systemClock.nowMs();
  const taken = await Promise.all(ends.map((end) => end.untilGrown(rows)));
  const elapsedMs = systemClock.nowMs() - startedMs;
  const [healthTimes, otherTimes] = [await health.end(), await commits.end()];
  return {
    rows: taken,
    elapsedMs,
    ...memory(),
    slowestHealthMs: Math.max(...healthTimes),
    healthCount: healthTimes.length,
    slowestOtherMs: Math.max(...otherTimes),
    otherCount: otherTimes.length,
  };
}

function insertion(from: number, to: number): string {
  return `INSERT INTO large SELECT n, left(repeat(md5(n::text), 2), 60) FROM generate_series(${from}, ${to}) AS n`;
}

/** A reader that counts operations and keeps nothing of them: it must not be what needs the memory. */
class LogEnd {
  private offset = '-1';
  private handle = '';

  constructor(
    private readonly shapeUrl: string,
    private readonly params: Readonly<Record<string, string>>,
  ) {}

  async begin(): Promise<this> {
    while (!(await this.read()).isUpToDate);
    return this;
  }

  async untilGrown(rows: number): Promise<number> {
    let count = 0;
    while (count < rows) count += (await this.read(true)).count;
    return count;
  }

  private async read(live = false): Promise<{ count: number; isUpToDate: boolean }> {
    const url = new URL(this.shapeUrl);
    const params = {
      ...this.params,
      offset: this.offset,
      ...(this.handle === '' ? {} : { handle: this.handle }),
      ...(live ? { live: 'true' } : {}),
    };
    url.search = new URLSearchParams(params).toString();
    const response = await fetch(url);
    const text = await response.text();
    invariant(response.status === 200 || response.status === 204, `the shape goes on: ${response.status} ${text}`);
    this.offset = response.headers.get('electric-offset') ?? this.offset;
    this.handle = response.headers.get('electric-handle') ?? this.handle;
    return { count: text.split('"operation":').length - 1, isUpToDate: response.headers.has('electric-up-to-date') };
  }
}

/** Does something again and again until told to end. @returns how long each took, in ms. */
function everySoOften(action: () => Promise<void>): { end: () => Promise<readonly number[]> } {
  const times: number[] = [];
  let isOver = false;
  const doing = (async () => {
    while (!isOver) {
      const startedMs = systemClock.nowMs();
      await action();
      times.push(systemClock.nowMs() - startedMs);
      await new Promise<void>((resolve) => void systemClock.setTimer(resolve, POLL_EVERY_MS));
    }
  })();
  return {
    async end() {
      isOver = true;
      await doing;
      return times;
    },
  };
}

/** Resident memory from now on, as the kernel counts it. */
function memoryOf({ child }: ServiceProcess): () => { idleBytes: number; peakBytes: number } {
  const status = (field: string): number =>
    1024 * Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0);
  writeFileSync(`/proc/${child.pid}/clear_refs`, '5'); // The peak begins anew.
  const idleBytes = status('VmRSS');
  return () => ({ idleBytes, peakBytes: status('VmHWM') });
}
