/**
 * One run of the oracle: random shapes over a real Postgres and the built service, batches of random transactions with a second
 * writer that does not pause, restarts in between and in the midst; and after each batch every shape equals what `SELECT` answers.
 *
 * Equality is not waited for. A fence is written once the writers rest, and a client that was told of everything up to the fence
 * must hold the right rows at that moment: an *up-to-date* is a promise. The same seed makes the same shapes, transactions and
 * restarts; when they meet is the machine's affair.
 */
import fc from 'fast-check';
import { systemClock } from '../../src/base/clock.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import type { ShapeRow } from '../support/shapes/shape-fold.ts';
import { anyShape, type OracleShape } from './any-shape.ts';
import { anyTransaction, anyTruncation, type OracleTransaction } from './any-transaction.ts';
import { drawn } from './drawn.ts';
import { Follower } from './follower.ts';
import { failureOf, type OracleFailure, type ToldClient } from './oracle-failure.ts';
import { addSummary, summaryOf, type OracleSummary } from './oracle-summary.ts';
import { pause, RestartedService, type Restart } from './restarted-service.ts';
import { SCHEMA, SEED_ROWS } from './schema.ts';
import { StrictClient } from './strict-client.ts';
import { differences, selectShape } from './truth.ts';
import { openWriter, type Writer } from './writer.ts';

export interface OracleOptions {
  readonly seed: number;
  readonly shapes: number;
  readonly batches: number;
  readonly withSubqueries: boolean;
  readonly storageDirectory: string;
}

interface BatchPlan {
  readonly transactions: readonly OracleTransaction[];
  /** What the second writer does over and over. */
  readonly meddling: readonly OracleTransaction[];
  readonly truncation: OracleTransaction | null;
  readonly restart: { readonly how: Restart; readonly when: 'in the midst' | 'behind' } | null;
}

const JOIN_OVER_BATCHES = 3;
const BATCHES_MAX = 1000;
const TOLD_MS_MAX = 60_000;
const EQUAL_LATER_MS_MAX = 10_000;
const LOOK_EVERY_MS = 5;
const MEDDLE_EVERY_MS = 2;
/** While the second writer waits for them that follow, it writes ever less often, and never rests: a busy machine is no violation. */
const SLOWER_AFTER = 50;
/** What the service says of a shape that a limit has left behind or ended. */
const OVER_LIMITS = /"msg":"(?:shape\.leftBehind|shapes\.overdue|dependants\.overdue)"/g;
const FRESH_CLIENTS = 3;
const REREADERS_AT_ONCE = 8;
const ENVIRONMENT = {
  ARMATURE_LONG_POLL_TIMEOUT: '400',
  ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '4000',
  ARMATURE_KEEP_EVERY_UPDATE: 'true', // What was compacted has the same rows, and other bytes than were served.
};

const anyRestart = fc.oneof(
  { weight: 2, arbitrary: fc.constant(null) },
  {
    weight: 3,
    arbitrary: fc.record({
      how: fc.constantFrom<Restart>('graceful', 'kill', 'kill'),
      when: fc.constantFrom('in the midst' as const, 'behind' as const),
    }),
  },
);
const anyBatch: fc.Arbitrary<BatchPlan> = fc.record({
  transactions: fc.array(anyTransaction, { minLength: 20, maxLength: 60 }),
  meddling: fc.array(anyTransaction, { minLength: 5, maxLength: 20 }),
  truncation: fc.oneof({ weight: 7, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: anyTruncation }),
  restart: anyRestart,
});

/**
 * @param database an empty one, which is the run's own.
 * @throws {OracleFailure} with the whole story.
 */
export async function runOracle(database: TestDatabase, options: OracleOptions): Promise<OracleSummary> {
  await database.query(SCHEMA);
  await database.query(SEED_ROWS);
  const { storageDirectory } = options;
  const service = await RestartedService.start({ databaseUrl: database.url, storageDirectory, environment: ENVIRONMENT });
  const run = new OracleRun(database, options, service, await openWriter(await database.session(), 'writer'),
    await openWriter(await database.session(), 'meddler'));
  try {
    return await run.play();
  } finally {
    await run.end();
  }
}

class OracleRun {
  private readonly followers: Follower[] = [];
  private readonly ends: Promise<void>[] = [];
  private readonly ending = new AbortController();
  private readonly random: Random;
  private summary: OracleSummary;
  private batch = 0;
  /** When `untilTold` began to wait; undefined while nobody does. */
  private waitingSinceMs: number | undefined;

  constructor(
    private readonly database: TestDatabase,
    private readonly options: OracleOptions,
    private readonly service: RestartedService,
    private readonly writer: Writer,
    private readonly meddler: Writer,
  ) {
    this.random = seededRandom(options.seed);
    this.summary = summaryOf(options.seed, {});
  }

  async play(): Promise<OracleSummary> {
    const { seed, shapes, batches, withSubqueries } = this.options;
    const chosen = drawn(fc.array(anyShape(withSubqueries), { minLength: shapes, maxLength: shapes }), seed);
    await this.publishFences();
    for (; this.batch < batches; this.batch += 1) {
      const joining = chosen.filter((_, index) => index % JOIN_OVER_BATCHES === this.batch);
      joining.forEach((shape) => this.join(shape)); // None behind the first batches.
      await this.playBatch(drawn(anyBatch, seed * BATCHES_MAX + this.batch));
    }
    this.summarise(chosen);
    return this.summary;
  }

  /** Whatever has happened: nothing of the run is left. */
  async end(): Promise<void> {
    this.ending.abort();
    await Promise.all(this.ends);
    await this.service.kill();
  }

  private async playBatch({ transactions, meddling, truncation, restart }: BatchPlan): Promise<void> {
    const resting = new AbortController();
    const meddled = this.meddle(meddling, resting.signal);
    const middle = Math.floor(transactions.length / 2);
    for (const transaction of transactions.slice(0, middle)) await this.writer.run(transaction);
    const restarted = restart?.when === 'in the midst' ? this.service.restart(restart.how) : undefined;
    if (truncation !== null) await this.truncate(truncation);
    for (const transaction of transactions.slice(middle)) await this.writer.run(transaction);
    await restarted;
    await this.untilTold(await this.walPosition(), 'while the second writer goes on'); // Also a shape whose parents never rest gets on.
    resting.abort();
    await meddled;
    await this.check();
    if (restart?.when === 'behind') await this.service.restart(restart.how);
    await this.rereadAll();
  }

  private async meddle(transactions: readonly OracleTransaction[], signal: AbortSignal): Promise<void> {
    for (let turn = 0; !signal.aborted && !this.ending.signal.aborted; turn += 1) {
      const transaction = transactions[turn % transactions.length];
      if (transaction !== undefined) await this.meddler.run(transaction);
      const waitedMs = this.waitingSinceMs === undefined ? 0 : systemClock.nowMs() - this.waitingSinceMs;
      await pause(MEDDLE_EVERY_MS + waitedMs / SLOWER_AFTER);
    }
  }

  /** Who may start over is excused before the service can know of it. */
  private async truncate(transaction: OracleTransaction): Promise<void> {
    for (const { client } of this.followers) {
      const { table, inner } = client.shape;
      client.isExcused ||= transaction.truncated !== undefined && [table, ...inner].includes(transaction.truncated);
    }
    await this.writer.run(transaction);
  }

  private async check(): Promise<void> {
    const end = await this.walPosition();
    await this.database.query('UPDATE fences SET raised = raised + 1');
    await this.untilTold(end, 'with the writers at rest');
    for (const follower of this.followers) await this.compare(follower.client);
    for (const { client } of this.followers) client.isExcused = false;
    for (let count = 0; count < FRESH_CLIENTS; count += 1) await this.readAnew(this.random.below(this.followers.length), end);
  }

  private async compare(client: StrictClient): Promise<void> {
    const selected = await selectShape(this.database, client.shape);
    this.count({ comparisons: 1 });
    const unlike = differences(selected, client.fold.rows());
    if (unlike.length === 0) return;
    const [told, story] = [client.toldLsn, [...client.story]];
    const later = await this.untilEqual(selected, client);
    const wrong = `told of everything up to ${told}, rows are not what SELECT answers, ${later}\n${unlike.join('\n')}`;
    throw this.failure(wrong, { shape: client.shape, handle: client.handle, offset: client.offset, toldLsn: told, story });
  }

  /** Whether rows are lost, or were promised too early, is the first thing that whoever reads the story wants to know. */
  private async untilEqual(selected: ReadonlyMap<string, ShapeRow>, client: StrictClient): Promise<string> {
    const beganMs = systemClock.nowMs();
    while (systemClock.nowMs() < beganMs + EQUAL_LATER_MS_MAX) {
      if (differences(selected, client.fold.rows()).length === 0) return `but are ${Math.round(systemClock.nowMs() - beganMs)} ms later`;
      await pause(LOOK_EVERY_MS);
    }
    return `nor are they ${EQUAL_LATER_MS_MAX} ms later`;
  }

  /** A fresh client is told the same; at times it takes the other's place. */
  private async readAnew(index: number, end: bigint): Promise<void> {
    const before = this.followers[index];
    if (before === undefined) return;
    const fresh = this.followerOf(before.client.shape, before.client);
    await fresh.catchUp(end, this.ending.signal).catch((error: unknown) => {
      throw this.failure(`a fresh client: ${reasonOf(error)}`, fresh.client);
    });
    if (fresh.client.handle !== before.client.handle) throw this.failure('a fresh client was given another handle', fresh.client);
    if (!fresh.client.hasReadTheSame()) throw this.failure('a fresh client was told another log', fresh.client);
    const unlike = differences(await selectShape(this.database, fresh.client.shape), fresh.client.fold.rows());
    if (unlike.length > 0) throw this.failure(`a fresh client: rows are not what SELECT answers\n${unlike.join('\n')}`, fresh.client);
    this.count({ comparisons: 1, freshClients: 1, ...fresh.client.counts });
  }

  private async rereadAll(): Promise<void> {
    for (let from = 0; from < this.followers.length; from += REREADERS_AT_ONCE) {
      await Promise.all(this.followers.slice(from, from + REREADERS_AT_ONCE).map((follower) => this.reread(follower)));
    }
  }

  private async reread(follower: Follower): Promise<void> {
    this.count({ reread: 1 });
    await follower.reread(AbortSignal.any([this.ending.signal, AbortSignal.timeout(TOLD_MS_MAX)])).catch((error: unknown) => {
      throw this.failure(reasonOf(error), follower.client);
    });
  }

  private join(shape: OracleShape): void {
    const follower = this.followerOf(shape);
    this.followers.push(follower);
    this.ends.push(follower.follow(this.ending.signal));
  }

  private followerOf(shape: OracleShape, before?: StrictClient): Follower {
    const random = seededRandom(this.random.below(2 ** 30));
    return new Follower(new StrictClient(shape, this.service.shapeUrl, random, before?.mark()), this.service, random);
  }

  /** @throws {OracleFailure} also when a follower failed meanwhile. */
  private async untilTold(lsn: bigint, when: string): Promise<void> {
    this.waitingSinceMs = systemClock.nowMs();
    const deadlineMs = this.waitingSinceMs + TOLD_MS_MAX;
    for (;;) {
      const failed = this.followers.find(({ failure }) => failure !== undefined);
      if (failed !== undefined) throw this.failure(reasonOf(failed.failure), failed.client);
      const behind = this.followers.find(({ client }) => client.toldLsn < lsn);
      if (behind === undefined) break;
      if (systemClock.nowMs() > deadlineMs) throw this.failure(`not told of ${lsn} in ${TOLD_MS_MAX} ms, ${when}`, behind.client);
      await pause(LOOK_EVERY_MS);
    }
    this.waitingSinceMs = undefined;
  }

  /** All transactions that have committed lie before it. */
  private async walPosition(): Promise<bigint> {
    const [row] = await this.database.query<{ position: string }>(`SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS position`);
    return BigInt(row?.position ?? 0);
  }

  /** A shape of the fences has them streamed. */
  private async publishFences(): Promise<void> {
    const response = await fetch(`${this.service.shapeUrl}?table=fences&offset=-1`);
    await response.text();
  }

  private failure(wrong: string, client: ToldClient): OracleFailure {
    const transactions = [...this.writer.story, ...this.meddler.story].sort((left, right) => parseInt(left) - parseInt(right));
    return failureOf(wrong, client, { seed: this.options.seed, batch: this.batch, transactions, serviceOutput: this.service.output() });
  }

  private count(counts: Partial<OracleSummary['counts']>): void {
    this.summary = addSummary(this.summary, { seeds: [], counts: summaryOf(0, counts).counts });
  }

  private summarise(shapes: readonly OracleShape[]): void {
    this.count({
      shapes: shapes.length,
      conditions: new Set(shapes.map(({ where }) => where)).size,
      withSubqueries: shapes.filter(({ inner }) => inner.length > 0).length,
      batches: this.batch,
      restarts: this.service.counts.graceful,
      kills: this.service.counts.kill,
      overLimits: [...this.service.output().matchAll(OVER_LIMITS)].length,
    });
    for (const { counts } of [this.writer, this.meddler]) this.count(counts);
    for (const { client } of this.followers) this.count(client.counts);
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
