/** Where the lines of a splice stand, and what they are made of: over the values of several columns, with rows as somebody reads them. */
import { beforeEach, expect, test } from 'vitest';
import { ConsumerLog, type ConsumerLogChange } from '../../../src/actors/consumer/consumer-log.ts';
import { SPLICED_VALUES_MAX, type SpliceDraft } from '../../../src/actors/consumer/splice-lines.ts';
import { VersionedMembers } from '../../../src/actors/versioned-members.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import type { Lsn } from '../../../src/model/lsn.ts';
import type { PgSnapshot, Xid } from '../../../src/model/pg-snapshot.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { Message, Pid } from '../../../src/otp/process.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { ChunkSums } from '../../../src/storage/shapes/piece.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { blockOf, placedTransaction } from '../../support/actors/changes.ts';
import { countRows } from '../../support/actors/count-rows.ts';
import { toldMoves } from '../../support/actors/told-moves.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { isIn, subqueryFilter } from '../../support/shapes/subquery-filter.ts';
import { bytes, entriesOf, lsn, text } from '../../support/storage/stored-samples.ts';

const WHERE = subqueryFilter(['owner', 'title'], [[isIn('owner', 0)], [isIn('title', 1)]]);
const INNER = { shape: shapeOf({}), column: 'id' };
const MATERIALIZERS = ['materializer#0', 'materializer#1'] as Pid[];
const ROWS: ChunkSums = { bytes: 8, sums: [0] };
/** Sees every transaction below xid 300, and was taken when the WAL ended at 500. */
const asked: PgSnapshot = { xmin: '300', xmax: '300', xip: [], insertLsn: lsn(500) };

/** A shape that looks up two columns of others, of which nothing is told yet. */
class Splicing {
  readonly values = [new VersionedMembers(), new VersionedMembers()] as const;
  /** What somebody has read for the Consumer, and may have lost. */
  parts: Uint8Array[] = [];
  block: LogBlock = blockOf([]);
  processed = lsn(0);
  living: readonly Pid[] = MATERIALIZERS;
  readonly log: ConsumerLog;

  private constructor(readonly shapeLog: ShapeLog) {
    for (const each of this.values) each.begin(SNAPSHOT_END);
    this.log = new ConsumerLog({
      shapeLog,
      lines: new ChangeConverter(shapeLog.definition, WHERE, () => itemsLayout, undefined, (value) => value),
      loaded: { take: () => this.block, close: () => {} },
      delivery: () => undefined,
      layoutOf: () => itemsLayout,
      takenByAll: () => LOG_START,
      processedLsn: () => this.processed,
      announce: () => {},
      valuesOf: (pid) => (this.living.includes(pid) ? this.values[MATERIALIZERS.indexOf(pid)] : undefined),
      movedRows: { take: () => this.parts.shift() ?? bytes(''), close: () => {}, clone: uncopied('rows') },
      clone: uncopied('a storage'),
    });
    this.apply({ depend: MATERIALIZERS, offsets: [SNAPSHOT_END, SNAPSHOT_END] });
  }

  /** Its snapshot saw every transaction below xid 100, and was taken when the WAL ended at 150. */
  static async begin(): Promise<Splicing> {
    const definition = { ...shapeOf({}), dependencies: [INNER, INNER] };
    const shapeLog = memoryStorage({ clock: new ManualClock() }).shapes.create(handleOf(1), definition);
    await shapeLog.beginSnapshot({ xmin: '100', xmax: '100', xip: [], insertLsn: lsn(150) }).complete();
    return new Splicing(shapeLog);
  }

  apply(change: ConsumerLogChange): Message | undefined {
    return this.log.apply(change);
  }

  /** A transaction of an inner shape: `+a` comes, `-a` goes. */
  move(number: 0 | 1, at: string, moves: readonly string[], xid = 7): LogOffset {
    countRows(this.values[number], moves);
    this.values[number]?.commit(at as LogOffset, [xid as Xid]);
    return at as LogOffset;
  }

  /** Records a splice to what the two columns have by now. */
  record(draft: Partial<SpliceDraft> = {}): void {
    const views = this.values.map(({ offset }) => offset);
    this.apply({ record: { place: LOG_START, through: LOG_START, views, pgSnapshot: null, rows: null, ...draft } });
  }

  /** Makes its lines, of rows that come in these parts. */
  make(...parts: readonly string[]): Message | undefined {
    this.parts = parts.map(bytes);
    toldMoves(this.log, 'tellMoveIn');
    for (const _ of parts) this.apply('takeMoved');
    this.apply('endRows');
    toldMoves(this.log, 'tellMoveOut');
    return this.apply('endSplice');
  }

  /** The lines behind the snapshot, each with its offset. */
  async lines(): Promise<readonly (readonly [LogOffset, unknown])[]> {
    this.shapeLog.publish(this.shapeLog.position);
    const entries = await entriesOf(this.shapeLog.read(SNAPSHOT_END));
    return entries.map(({ offset, bytes: line }) => [offset, JSON.parse(text(line))]);
  }
}

let splicing: Splicing;

beforeEach(async () => {
  splicing = await Splicing.begin();
});

const event = (name: string, pos: number, values: readonly string[], txids: readonly number[]) => ({
  headers: { event: name, patterns: values.map((value) => ({ pos, value: `v:${value}` })), txids },
});

test('what came is told before the rows, behind them where they end, and what went after that', async () => {
  splicing.move(0, '10_0', ['+ann', '+ben']);
  splicing.record();
  splicing.make();
  splicing.move(0, '20_0', ['-ann', '+cid']);
  splicing.record({ pgSnapshot: asked, rows: ROWS });
  splicing.make('"row 1"\n"row 2"\n');

  expect(await splicing.lines()).toEqual([
    ['1_1', event('move-in', 0, ['ann', 'ben'], [7])],
    ['500_1', event('move-in', 0, ['cid'], [7])],
    ['500_2', 'row 1'],
    ['500_3', 'row 2'],
    ['500_4', { headers: { control: 'snapshot-end', xmin: '300', xmax: '300', xip_list: [] } }],
    ['500_5', event('move-out', 0, ['ann'], [7])],
  ]);
});

test('rows that end in the middle of one are a bug of ours, and said so', () => {
  splicing.record({ pgSnapshot: asked, rows: ROWS });

  expect(() => splicing.make('"row 1"\n"ro')).toThrow('the rows of a splice end with a row');
});

test('transactions that moved values of several columns are named once each, in the order of their xids', async () => {
  splicing.move(0, '10_0', ['+ann'], 12);
  splicing.move(1, '10_2', ['+news'], 12);
  splicing.move(1, '20_0', ['+old'], 9);
  splicing.record();
  splicing.make();

  const [[, line] = []] = await splicing.lines();
  expect(line).toMatchObject({ headers: { txids: [9, 12], patterns: [{ pos: 0, value: 'v:ann' }, { pos: 1 }, { pos: 1 }] } });
});

test.each<[string, string, SpliceDraft['pgSnapshot'], string, LogOffset]>([
  ['what the service had told', '600', asked, '400', '600_1' as LogOffset],
  ['what its query saw', '400', asked, '300', '500_1' as LogOffset],
  ['the last line of its log, in its transaction', '400', asked, '700', '700_5' as LogOffset],
  ['the last line of its log, where there was no query', '0', null, '700', '700_5' as LogOffset],
])('a splice stands behind %s', async (_, processed, pgSnapshot, last, offset) => {
  splicing.values[0].add('ann');
  splicing.move(0, '10_0', ['+ben']);
  splicing.record();
  splicing.make();
  const insert = { kind: 'insert', new: ['1', 'a', 'ann'], layoutId: 1, position: 4 } as const;
  splicing.block = blockOf([placedTransaction({ xid: 200, lsn: last }, [insert])]);
  splicing.apply({ takeUnrouted: { after: LOG_START, through: 1_000 as LogPosition } });
  splicing.processed = processed as Lsn;
  splicing.move(0, '20_0', ['+cid']);
  splicing.record({ pgSnapshot });
  splicing.make();

  expect((await splicing.lines()).at(-1)?.[0]).toBe(offset);
});

test('the views of a shape that comes back are those that it had, however far the values are', () => {
  const ahead = ['9_0', '9_0'] as LogOffset[];

  expect(splicing.apply({ depend: MATERIALIZERS, offsets: ahead })).toMatchObject({ views: [SNAPSHOT_END, SNAPSHOT_END] });
});

test('a splice moves what was told, and no more than so many values of a column', () => {
  const many = Array.from({ length: SPLICED_VALUES_MAX }, (_, index) => `+${index}`);
  const [full, beyond] = [splicing.move(0, '10_0', many), splicing.move(0, '20_0', ['+one more'])];
  splicing.move(1, '10_0', ['+not told yet']);

  expect(splicing.apply({ plan: [beyond, SNAPSHOT_END] })).toEqual({
    type: 'splice.planned', views: [full, SNAPSHOT_END], needsQuery: true,
  });
});

test.each<[string, { xid: number; lsn: string; end?: number }, boolean]>([
  ['that neither saw before', { xid: 200, lsn: '400' }, true],
  ['that the snapshot saw', { xid: 90, lsn: '140' }, false],
  ['that the snapshot would have seen had it come before', { xid: 90, lsn: '400' }, true],
  ['that the query did not see', { xid: 300, lsn: '400' }, false],
  ['that came behind the query', { xid: 200, lsn: '600' }, false],
  ['that was taken before', { xid: 200, lsn: '400', end: 50 }, false],
])('what the query saw comes before the moves, by the old view: a transaction %s', async (_, { end, ...transaction }, isTaken) => {
  splicing.values[0].add('ann');
  splicing.move(0, '10_0', ['+ben']);
  splicing.record();
  splicing.make();
  splicing.shapeLog.publish(60 as LogPosition, 'behind');
  splicing.record({ pgSnapshot: asked });
  const insert = { kind: 'insert', new: ['1', 'a', 'ann'], layoutId: 1, position: 0 } as const;
  const placed = placedTransaction(transaction, [insert]);
  splicing.block = blockOf([{ ...placed, end: (end ?? placed.end) as LogPosition }]);
  splicing.apply({ takeSeen: { after: LOG_START, through: 1_000 as LogPosition } });

  const lines = (await splicing.lines()).slice(1);
  expect(lines.map(([offset]) => offset)).toEqual(isTaken ? ['500_1'] : []);
});

test('when one of its Materializers has ended nothing is planned, chosen or told', () => {
  splicing.move(0, '10_0', ['+ann']);
  splicing.record({ pgSnapshot: asked });
  splicing.block = blockOf([placedTransaction({ xid: 200, lsn: '400' }, [])]);
  splicing.living = MATERIALIZERS.slice(0, 1);
  const range = { after: LOG_START, through: 1_000 as LogPosition };
  const changes: ConsumerLogChange[] = [
    { plan: [SNAPSHOT_END, SNAPSHOT_END] }, { takeSeen: range }, { takeUnrouted: range }, 'tellMoveIn', 'tellMoveOut',
  ];

  expect(changes.map((change) => splicing.apply(change)?.type)).toEqual(changes.map(() => 'values.areGone'));
  expect(splicing.shapeLog.nextSplice?.number).toBe(1);
});

test('what a splice brought counts no more for what a transaction may hide behind it', () => {
  splicing.values[0].add('ann');
  splicing.move(0, '10_0', ['+ben']);
  splicing.record({ pgSnapshot: asked, rows: ROWS });
  splicing.make(`"${'x'.repeat(12_000)}"\n`);
  const wide = ['2', 'x'.repeat(6_000), 'ann'];
  const inserts = [0, 2].map((position) => ({ kind: 'insert', new: wide, layoutId: 1, position }) as const);
  splicing.block = blockOf([{ ...placedTransaction({ xid: 400, lsn: '700' }, inserts), isUnfinished: true }]);

  expect(splicing.apply({ takeUnrouted: { after: LOG_START, through: 1_000 as LogPosition } })).toMatchObject({ isMuch: false });
});

test('rows leave the memory each time that there is much of them', () => {
  splicing.record({ pgSnapshot: asked, rows: ROWS });
  toldMoves(splicing.log, 'tellMoveIn');
  const told = Array.from({ length: 4 }, () => {
    splicing.parts = [bytes(`"${'x'.repeat(9_000)}"\n`)];
    return splicing.apply('takeMoved')?.['isMuch'];
  });

  expect(told).toEqual([false, true, false, true]);
});
