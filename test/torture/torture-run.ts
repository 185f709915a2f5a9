/**
 * A world under torture: rounds of writes, in the midst of which one fault befalls it, or several that meet. Then all is healed, the
 * writers rest, and each client must be told of everything and hold what SELECT answers.
 *
 * The same seed draws the same shapes, writes and faults; when they meet is the machine's affair.
 */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import type { OracleTransaction } from '../oracle/any-transaction.ts';
import { Crowd } from './crowd.ts';
import { isExcused, type Fault, type Heal, type Scene } from './fault.ts';
import { FaultDeck } from './fault-deck.ts';
import { failureOf, Finding } from './finding.ts';
import { firstShapes, planOf, type PlannedFault, type RoundPlan } from './round-plan.ts';
import { TornSession } from './torn-session.ts';
import { TornWriter } from './torn-writer.ts';
import type { TortureWorld } from './torture-world.ts';
import { addTally, countFault, NOTHING, type TortureTally } from './torture-tally.ts';

export interface TortureOptions {
  readonly seed: number;
  readonly rounds: number;
  readonly shapes: number;
  readonly faults: readonly Fault[];
  /** Told what each round was. */
  readonly onRound?: (line: string) => void;
  /** No further round is begun. */
  readonly signal?: AbortSignal;
}

interface Befalling {
  readonly fault: Fault;
  readonly scene: Scene;
  readonly afterMs: number;
}

const TOLD_WITHIN_MS = 60_000;
const MEDDLE_EVERY_MS = 2;
/** While the second writer waits for them that follow, it writes ever less often, and never rests. */
const SLOWER_AFTER = 50;
const FENCE_AGAIN_AFTER_MS = 20;

/** @throws {TortureFailure} with the whole story. */
export async function tortureWorld(world: TortureWorld, options: TortureOptions): Promise<TortureTally> {
  const run = new TortureRun(world, options);
  try {
    return await run.play();
  } finally {
    await run.end();
  }
}

class TortureRun {
  private readonly random: Random;
  private readonly deck: FaultDeck;
  private readonly crowd: Crowd;
  private readonly sessions: readonly TornSession[];
  private readonly writer: TornWriter;
  private readonly meddler: TornWriter;
  private readonly ending = new AbortController();
  private tally = NOTHING;
  private round = 0;
  private befallen: string[] = [];

  constructor(private readonly world: TortureWorld, private readonly options: TortureOptions) {
    this.random = seededRandom(options.seed);
    this.deck = new FaultDeck(options.faults, this.random);
    const { operator, instances, story, url } = world;
    this.crowd = new Crowd({ query: (sql) => operator.insist(sql) }, instances, this.random);
    this.sessions = [new TornSession(url), new TornSession(url)];
    const [one, other] = this.sessions as readonly [TornSession, TornSession];
    this.writer = new TornWriter(one, 'writer', story);
    this.meddler = new TornWriter(other, 'meddler', story);
  }

  async play(): Promise<TortureTally> {
    const { seed, shapes, rounds, signal } = this.options;
    try {
      for (const shape of firstShapes(seed, shapes)) this.crowd.join(shape);
      await this.settle();
      for (; this.round < rounds && signal?.aborted !== true; this.round += 1) await this.playRound(planOf(seed, this.round));
    } catch (error) {
      if (!(error instanceof Finding)) throw error;
      const { story, instances } = this.world;
      const faults = this.befallen;
      throw failureOf(error, { seed, round: this.round, faults, story: story.lines, serviceOutput: instances.output() });
    }
    return this.whole();
  }

  async end(): Promise<void> {
    this.ending.abort();
    await this.crowd.disperse();
    for (const session of this.sessions) await session.end();
  }

  private async playRound(plan: RoundPlan): Promise<void> {
    const beganMs = systemClock.nowMs();
    const resting = new AbortController();
    const meddled = this.meddle(plan.meddling, AbortSignal.any([resting.signal, this.ending.signal]));
    const middle = Math.floor(plan.transactions.length / 2);
    await this.write(plan.transactions.slice(0, middle));
    const befallings = plan.faults.map((planned) => this.befallingOf(planned));
    this.befallen = befallings.map(({ fault }) => fault.name);
    const struck = Promise.all(befallings.map((befalling) => this.strike(befalling)));
    this.crowd.join(plan.newcomer);
    await Promise.all([this.write(plan.transactions.slice(middle)), struck]);
    for (const heal of (await struck).toReversed()) await heal?.();
    await this.world.untilWell();
    for (const { fault, scene } of befallings) await fault.untilPutRight?.(scene);
    const healedMs = systemClock.nowMs();
    resting.abort();
    await meddled;
    await this.settle();
    this.count(systemClock.nowMs() - healedMs, systemClock.nowMs() - beganMs);
    if (this.crowd.size > this.options.shapes) await this.crowd.leaveFirst();
  }

  private befallingOf({ seed, table, afterMs }: PlannedFault): Befalling {
    return { fault: this.deck.deal(), scene: { world: this.world, random: seededRandom(seed), table }, afterMs };
  }

  private async strike({ fault, scene, afterMs }: Befalling): Promise<Heal | undefined> {
    const { table } = scene;
    await pause(systemClock, afterMs);
    const { excuses, isFoundOutLater: isLate = false, isMisleading = false } = fault;
    this.crowd.excuse({ isOf: (shape) => isExcused(shape, excuses, table), isLate, isMisleading });
    const told = `${fault.name} (${table})`;
    this.world.story.tell(`*** ${told}`);
    const heal = await fault.strike(scene);
    this.world.story.tell(`*** ${told}: done`);
    return heal;
  }

  private async write(transactions: readonly OracleTransaction[]): Promise<void> {
    for (const transaction of transactions) await this.writer.run(transaction);
  }

  private async meddle(transactions: readonly OracleTransaction[], signal: AbortSignal): Promise<void> {
    const beganMs = systemClock.nowMs();
    for (let turn = 0; !signal.aborted; turn += 1) {
      const transaction = transactions[turn % transactions.length];
      if (transaction !== undefined) await this.meddler.run(transaction);
      await pause(systemClock, MEDDLE_EVERY_MS + (systemClock.nowMs() - beganMs) / SLOWER_AFTER, signal);
    }
  }

  /** With the writers at rest, all are told and hold what is so. */
  private async settle(): Promise<void> {
    const end = await this.raiseFence();
    await this.crowd.untilTold(end, TOLD_WITHIN_MS);
    await this.crowd.compareAll(TOLD_WITHIN_MS);
    if (this.round % 2 === 0) await this.crowd.readAnew(end, TOLD_WITHIN_MS);
    this.crowd.endExcuses();
  }

  /** @returns all transactions that have committed lie before it, and one that is streamed behind. */
  private async raiseFence(): Promise<bigint> {
    await this.publishFences();
    const { operator } = this.world;
    const [row] = await operator.insist<{ position: string }>(`SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS position`);
    await operator.insist('UPDATE fences SET raised = raised + 1');
    return BigInt(row?.position ?? 0);
  }

  /** A shape of the fences has them streamed. */
  private async publishFences(): Promise<void> {
    const { shapeUrl } = this.world.instances;
    for (const untilMs = systemClock.nowMs() + TOLD_WITHIN_MS; ; await pause(systemClock, FENCE_AGAIN_AFTER_MS)) {
      const response = await fetch(`${shapeUrl}?table=fences&offset=-1`).catch(() => undefined);
      const text = await response?.text();
      if (response?.status === 200) return;
      if (systemClock.nowMs() > untilMs) throw new Finding(`a shape of the fences is not made in ${TOLD_WITHIN_MS} ms: ${text}`);
    }
  }

  private count(toldMs: number, tookMs: number): void {
    const faults = this.befallen.reduce((before, name) => countFault(before, name, toldMs), this.tally.faults);
    const slowestMs = this.crowd.takeSlowestAnswerMs();
    const slowestAnswerMs = Math.max(this.tally.slowestAnswerMs, slowestMs);
    this.tally = { ...this.tally, rounds: this.tally.rounds + 1, faults, slowestAnswerMs };
    const { seed, onRound } = this.options;
    const [told, took, slowest] = [toldMs, tookMs, slowestMs].map(Math.round);
    const figures = `all were told ${told} ms later, ${took} ms in all, slowest answer ${slowest} ms`;
    onRound?.(`seed ${seed}, round ${this.round}: ${this.befallen.join(' + ')}; ${figures}`);
  }

  private whole(): TortureTally {
    const { writer, meddler, crowd } = this;
    const all = crowd.clients.map(({ counts: { requests, messages, unavailable, excused, unbegun } }) => {
      return { ...NOTHING, requests, messages, unavailable, excused, unbegun, shapes: 1 };
    });
    const written = [writer, meddler].map(({ counts: { transactions, lost } }) => ({ ...NOTHING, transactions, lost }));
    const told = { ...this.tally, comparisons: crowd.comparisons };
    return [...all, ...written].reduce(addTally, told);
  }
}
