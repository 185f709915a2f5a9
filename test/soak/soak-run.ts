/**
 * A soak: the built service under writes that never end, while shapes are made and dropped and clients come and go. After each round the
 * writes rest for as long as the clients need to hold the rows of their tables; what the service takes is measured all the time.
 */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import { inspectProcess, type ProcessInspector } from '../../bench/process-inspector.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { freePort, startServiceProcess, type ServiceProcess } from '../support/service/service-process.ts';
import { footprintOf } from './footprint.ts';
import { PassingShapes } from './passing-shapes.ts';
import { SoakReader, sorted } from './soak-reader.ts';
import type { Sample } from './verdict.ts';
import { SHAPES, TABLES, Workload, type SoakShape } from './workload.ts';

export interface SoakOptions {
  readonly seconds: number;
  readonly seed: number;
  readonly storageDirectory: string;
  readonly sampleEveryMs: number;
  /** How long is written between two comparisons. */
  readonly roundMs: number;
  /** Between the begins of two transactions. */
  readonly transactionEveryMs: number;
  readonly onSample?: (sample: Sample) => void;
}

export interface SoakOutcome {
  readonly samples: readonly Sample[];
  readonly transactions: number;
  readonly walBytes: number;
  readonly made: number;
  readonly deleted: number;
  readonly comparisons: number;
  /** Times that a reader began anew, since its shape had ended. */
  readonly refetches: number;
  readonly exitCode: number | null;
}

const READERS = 8;
const SHAPE_EVERY_MS = 1_000;
const EQUAL_WITHIN_MS = 60_000;
const LOOK_EVERY_MS = 50;

/** So small that all that is compacted, collected and rotated has been so many times after five minutes. */
const ENVIRONMENT = {
  ARMATURE_LONG_POLL_TIMEOUT: '2000',
  ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: '500000',
  ARMATURE_SHAPE_EXPIRE_AFTER: '180s',
  ARMATURE_MAX_SHAPE_LOG_SIZE: '4000000',
  ARMATURE_ENABLE_DELETION: 'true',
  ARMATURE_LOG_LEVEL: 'warn',
};

/** @throws when a reader does not come to the rows of its table. */
export async function soak(database: TestDatabase, options: SoakOptions): Promise<SoakOutcome> {
  await database.query(TABLES);
  const inspectorPort = await freePort();
  const { storageDirectory } = options;
  const environment = { ...ENVIRONMENT, NODE_OPTIONS: `--inspect=127.0.0.1:${inspectorPort}` };
  const service = await startServiceProcess({ databaseUrl: database.url, storageDirectory, environment });
  const inspector = await inspectProcess(inspectorPort);
  const run = new SoakRun(database, service, inspector, options);
  try {
    await run.whole();
    run.leave();
    inspector.close(); // Else it would wait for us at its end.
    return { ...run.outcome, exitCode: await service.stop() };
  } finally {
    run.leave();
    inspector.close();
    await service.kill();
  }
}

class SoakRun {
  private readonly random: Random;
  private readonly workload: Workload;
  private readonly passing: PassingShapes;
  private readonly readers: SoakReader[] = [];
  /** Those that have left for a while. */
  private readonly away: SoakReader[] = [];
  private readonly samples: Sample[] = [];
  private readonly beganMs = systemClock.nowMs();
  private readonly stopping = new AbortController();
  private comparisons = 0;
  private walBytes = 0;
  private gone = 0;

  constructor(
    private readonly database: TestDatabase,
    private readonly service: ServiceProcess,
    private readonly inspector: ProcessInspector,
    private readonly options: SoakOptions,
  ) {
    this.random = seededRandom(options.seed);
    this.workload = new Workload(seededRandom(options.seed + 1));
    this.passing = new PassingShapes(service.shapeUrl);
  }

  get outcome(): Omit<SoakOutcome, 'exitCode'> {
    const { samples, workload: { transactions }, walBytes, passing: { made, deleted }, comparisons } = this;
    const refetches = [...this.readers, ...this.away].reduce((sum, reader) => sum + reader.refetches, this.gone);
    return { samples, transactions, walBytes, made, deleted, comparisons, refetches };
  }

  async whole(): Promise<void> {
    const session = await this.database.session();
    const [{ lsn }] = (await this.database.query<{ lsn: string }>('SELECT pg_current_wal_lsn() lsn')) as [{ lsn: string }];
    const others = [this.every(this.options.sampleEveryMs, () => this.sample()), this.every(SHAPE_EVERY_MS, () => this.passing.step())];
    const rounds = this.rounds((sql) => session.query(sql)).finally(() => this.stopping.abort());
    await Promise.all([rounds, ...others]);
    const written = await this.database.query<{ bytes: string }>('SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), $1) bytes', [lsn]);
    this.walBytes = Number(written[0]?.bytes);
  }

  leave(): void {
    this.stopping.abort();
    for (const reader of this.readers) reader.leave();
  }

  private get seconds(): number {
    return (systemClock.nowMs() - this.beganMs) / 1000;
  }

  /** From begin to begin: on a busy machine no fewer shapes are made, and so there are as many. */
  private async every(periodMs: number, action: () => Promise<void>): Promise<void> {
    const { signal } = this.stopping;
    for (let nextMs = systemClock.nowMs(); !signal.aborted; nextMs += periodMs) {
      await pause(systemClock, Math.max(0, nextMs - systemClock.nowMs()), signal);
      if (!signal.aborted) await action();
    }
  }

  private async sample(): Promise<void> {
    const footprint = await footprintOf(this.service.child.pid, this.inspector, this.options.storageDirectory);
    const sample = { atSeconds: this.seconds, ...footprint };
    this.samples.push(sample);
    this.options.onSample?.(sample);
  }

  private async rounds(query: (sql: string) => Promise<unknown>): Promise<void> {
    const { signal } = this.stopping;
    for (this.fill(); this.seconds < this.options.seconds && !signal.aborted; this.turnOver()) {
      const endMs = systemClock.nowMs() + this.options.roundMs;
      for (let nextMs = systemClock.nowMs(); nextMs < endMs && !signal.aborted; nextMs += this.options.transactionEveryMs) {
        await pause(systemClock, Math.max(0, nextMs - systemClock.nowMs()), signal);
        await query(`BEGIN; ${this.workload.next()}; COMMIT`);
      }
      await this.compare();
    }
  }

  /** Some go for good, some for a while, and others come. */
  private turnOver(): void {
    for (const reader of this.readers.splice(0, this.random.below(READERS))) {
      reader.leave();
      if (this.random.below(2) === 0) this.away.push(reader);
      else this.gone += reader.refetches;
    }
    this.fill();
  }

  private fill(): void {
    while (this.readers.length < READERS) {
      const isBack = this.away.length > READERS / 2;
      const back = isBack ? this.away.shift() : undefined;
      const shape = SHAPES[this.readers.length < SHAPES.length && !isBack ? this.readers.length : this.random.below(SHAPES.length)];
      if (shape === undefined) return;
      const reader = back ?? new SoakReader(this.service.shapeUrl, shape);
      reader.come();
      this.readers.push(reader);
    }
  }

  /** While nothing is written. @throws when one is not equal in time. */
  private async compare(): Promise<void> {
    const rows = new Map<SoakShape, readonly unknown[]>();
    for (const shape of SHAPES) rows.set(shape, sorted(await this.database.query(shape.select)));
    const deadline = AbortSignal.timeout(EQUAL_WITHIN_MS);
    for (const reader of this.readers) {
      while (!reader.holds(rows.get(reader.shape) ?? [])) {
        if (deadline.aborted) throw new Error(`a reader of ${JSON.stringify(reader.shape.params)} does not have the rows of its table`);
        await pause(systemClock, LOOK_EVERY_MS);
      }
      this.comparisons += 1;
    }
  }
}
