/** The clients of a world, each on a shape of its own: who comes and goes, whose shape may start over, whether all hold what is right. */
import { systemClock } from '../../src/base/clock.ts';
import { pause } from '../../src/base/pause.ts';
import { seededRandom, type Random } from '../../src/base/random.ts';
import { parametersOf, type OracleShape } from '../oracle/any-shape.ts';
import type { TableName } from '../oracle/schema.ts';
import { StrictClient } from '../oracle/strict-client.ts';
import { differences, selectShape } from '../oracle/truth.ts';
import type { TestDatabase } from '../support/postgres/postgres.ts';
import { ChasedClient, findingOf } from './chased-client.ts';
import { Finding } from './finding.ts';
import type { Instances } from './instances.ts';

/** What may start over, and for how long beyond the round. */
export interface Excuse {
  readonly isOf: (shape: OracleShape) => boolean;
  readonly isLate: boolean;
  readonly isMisleading: boolean;
}

interface Member {
  readonly chased: ChasedClient;
  readonly end: Promise<void>;
  /** How often it had started over when it was excused; undefined while it has no excuse. */
  excused: { readonly restarts: number; readonly untilMs: number } | undefined;
}

const LOOK_EVERY_MS = 5;
const STREAMS_ONE_IN = 3;
const LATE_EXCUSE_MS = 20_000;

export class Crowd {
  comparisons = 0;
  /** Of those that have left. */
  private readonly left: StrictClient[] = [];
  private members: Member[] = [];
  private excuses: Excuse[] = [];

  constructor(
    private readonly database: Pick<TestDatabase, 'query'>,
    private readonly instances: Instances,
    private readonly random: Random,
  ) {}

  get size(): number {
    return this.members.length;
  }

  get clients(): readonly StrictClient[] {
    return [...this.left, ...this.members.map(({ chased }) => chased.client)];
  }

  /** Since this was asked last. */
  takeSlowestAnswerMs(): number {
    return Math.max(0, ...this.members.map(({ chased }) => chased.takeSlowestMs()));
  }

  join(shape: OracleShape): void {
    const chased = this.chasedOf(shape, this.random.below(STREAMS_ONE_IN) === 0);
    const member: Member = { chased, end: chased.follow(), excused: undefined };
    this.members.push(member);
    for (const excuse of this.excuses) excuseMember(member, excuse);
  }

  /** The one that came first goes. */
  async leaveFirst(): Promise<void> {
    const member = this.members.shift();
    if (member === undefined) return;
    member.chased.leave();
    await member.end;
    throwFailureOf(member);
    this.left.push(member.chased.client);
  }

  /** Who may start over is excused before the service can know why. */
  excuse(excuse: Excuse): void {
    this.excuses.push(excuse);
    for (const member of this.members) excuseMember(member, excuse);
  }

  /** Behind a round: what had to start over has done so, unless the service has yet to find it out. */
  endExcuses(): void {
    this.excuses = [];
    for (const member of this.members) {
      const { excused, chased: { client } } = member;
      if (excused === undefined) continue;
      const isOver = restartsOf(client) > excused.restarts || systemClock.nowMs() > excused.untilMs;
      if (!isOver) continue;
      member.excused = undefined;
      client.isExcused = false;
      client.mayBeMisled = false;
    }
  }

  /** All have been told of everything up to `lsn`; time counts while one that is behind comes no further. @throws {Finding} */
  async untilTold(lsn: bigint, withinMs: number): Promise<void> {
    let untilMs = 0;
    let stands: string | undefined;
    for (;;) {
      this.check();
      const behind = this.members.find(({ chased: { client } }) => client.toldLsn < lsn);
      if (behind === undefined) return;
      const { client } = behind.chased;
      if (stands !== `${client.handle} ${client.offset}`) untilMs = systemClock.nowMs() + withinMs;
      stands = `${client.handle} ${client.offset}`;
      if (systemClock.nowMs() > untilMs) this.throwNotTold(behind, lsn, withinMs);
      await pause(systemClock, LOOK_EVERY_MS);
    }
  }

  /** While nobody writes, and all have been told. Whose shape has yet to start over has time until it does. @throws {Finding} */
  async compareAll(withinMs: number): Promise<void> {
    const untilMs = systemClock.nowMs() + withinMs;
    for (const { chased: { client } } of this.members) await this.compare(client, untilMs);
  }

  /** A fresh client is told what another one holds. @throws {Finding} */
  async readAnew(lsn: bigint, withinMs: number): Promise<void> {
    const member = this.members[this.random.below(this.members.length)];
    if (member === undefined) return;
    const { chased: { client: before }, excused } = member;
    const fresh = this.chasedOf(before.shape, false, before);
    fresh.client.isExcused = before.isExcused;
    await fresh.catchUp(lsn, withinMs).catch((error: unknown) => {
      throw findingOf(error, fresh.client);
    });
    const isSame = excused !== undefined || fresh.client.handle === before.handle;
    if (!isSame) throw new Finding('a fresh client has another handle', fresh.client);
    const hasRead = excused !== undefined || fresh.client.hasReadTheSame();
    if (!hasRead) throw new Finding('a fresh client was told another log', fresh.client);
    await this.compare(fresh.client, systemClock.nowMs());
    this.left.push(fresh.client);
  }

  /** @throws {Finding} of any of them. */
  check(): void {
    this.instances.check();
    this.members.forEach(throwFailureOf);
  }

  async disperse(): Promise<void> {
    for (const { chased } of this.members) chased.leave();
    await Promise.all(this.members.map(({ end }) => end));
  }

  private throwNotTold({ chased: { client, doing } }: Member, lsn: bigint, withinMs: number): never {
    throw new Finding(`not told of ${lsn} in ${withinMs} ms; it ${doing}`, client);
  }

  private async compare(client: StrictClient, untilMs: number): Promise<void> {
    this.comparisons += 1;
    for (;;) {
      this.check();
      const unlike = await this.unlike(client);
      if (unlike.length === 0) return;
      if (!client.isExcused || systemClock.nowMs() > untilMs) {
        throw new Finding(`told of everything up to ${client.toldLsn}, rows are not what SELECT answers\n${unlike.join('\n')}`, client);
      }
      await pause(systemClock, LOOK_EVERY_MS);
    }
  }

  private async unlike(client: StrictClient): Promise<readonly string[]> {
    const { table, where } = client.shape;
    const isOfAll = parametersOf(client.shape)['columns'] === undefined;
    const columns = isOfAll ? await this.columnsOf(table) : client.shape.columns;
    const selected = await selectShape(this.database, { table, where, columns });
    return differences(selected, client.fold.rows());
  }

  private async columnsOf(table: TableName): Promise<readonly string[]> {
    const rows = await this.database.query<{ name: string }>(
      `SELECT attname AS name FROM pg_attribute WHERE attrelid = '${table}'::regclass AND attnum > 0 AND NOT attisdropped ORDER BY attnum`,
    );
    return rows.map(({ name }) => name);
  }

  private chasedOf(shape: OracleShape, isStreaming: boolean, before?: StrictClient): ChasedClient {
    const random = seededRandom(this.random.below(2 ** 30));
    return new ChasedClient(new StrictClient(shape, this.instances.shapeUrl, random, before?.mark()), this.instances, random, isStreaming);
  }
}

function throwFailureOf({ chased: { failure, client } }: Member): void {
  if (failure !== undefined) throw findingOf(failure, client);
}

function excuseMember(member: Member, { isOf, isLate, isMisleading }: Excuse): void {
  const { client } = member.chased;
  if (!isOf(client.shape)) return;
  const untilMs = Math.max(member.excused?.untilMs ?? 0, isLate ? systemClock.nowMs() + LATE_EXCUSE_MS : 0);
  member.excused = { restarts: restartsOf(client), untilMs };
  client.isExcused = true;
  client.mayBeMisled ||= isMisleading;
}

function restartsOf({ counts }: StrictClient): number {
  return counts.excused + counts.unbegun;
}
