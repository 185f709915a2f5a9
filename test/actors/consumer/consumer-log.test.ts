/** What a shape's log takes of a block, and what it has taken before. */
import { expect, test } from 'vitest';
import { seededRandom } from '../../../src/base/random.ts';
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import { hiddenLines } from '../../../src/actors/consumer/hidden-lines.ts';
import type { ConsumerPorts } from '../../../src/actors/consumer/consumer-ports.ts';
import { isInMemory } from '../../../src/api/shape-response.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { RelationLayout } from '../../../src/model/relation.ts';
import type { LogBlock, LoggedTransaction } from '../../../src/model/transaction.ts';
import { Deliveries, type DeliveryId } from '../../../src/shapes/delivery.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { Projection } from '../../../src/shapes/projection.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { openStorage } from '../../../src/storage/open-storage.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { divisionByZero } from '../../../src/sql/evaluation-error.ts';
import type { Where } from '../../../src/sql/where.ts';
import { MemoryDisk } from '../../storage/memory-disk.ts';
import { grow, upTo } from '../../support/storage/stored-samples.ts';
import { blockOf, placedTransaction, transactionOf, type RowChange } from '../../support/actors/changes.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { noDependencies } from '../../support/actors/no-dependencies.ts';

const TRANSACTIONS = [
  transactionOf({ xid: 90, lsn: '100' }, [{ kind: 'insert', new: ['1', 'seen by the snapshot', null] }]),
  transactionOf({ xid: 200, lsn: '200' }, [{ kind: 'insert', new: ['2', 'after the snapshot', null] }]),
];
const INSERT = { kind: 'insert', new: ['9', 'of many', null], layoutId: 1 } as const;
const BLOCK = { ...blockOf(TRANSACTIONS), through: 200 as LogPosition };

/** A log whose snapshot saw every transaction below xid 100 but 95, and was taken when the WAL ended at 150. */
async function storedShape(storage = memoryStorage({})): Promise<ShapeLog> {
  const shapeLog = storage.shapes.create(handleOf(1), shapeOf({}));
  await shapeLog.beginSnapshot({ xmin: '95', xmax: '100', xip: ['95'], insertLsn: '150' as Lsn }).complete();
  return shapeLog;
}

function open(shapeLog: ShapeLog, block = BLOCK, ports: Partial<ConsumerPorts> = {}): ConsumerLog {
  return new ConsumerLog({
    shapeLog,
    lines: new ChangeConverter(shapeLog.definition, undefined, () => itemsLayout),
    loaded: { take: () => block, close: () => {} },
    delivery: () => undefined,
    layoutOf: () => itemsLayout,
    takenByAll: () => 0 as LogPosition,
    processedLsn: () => LSN_ZERO,
    announce: () => {},
    ...noDependencies(),
    clone: uncopied('a storage'),
    ...ports,
  });
}

const WHOLE = { takeUnrouted: { after: 0 as LogPosition, through: 200 as LogPosition } } as const;

test('a transaction that the snapshot saw is left out, one behind it is taken', async () => {
  const shapeLog = await storedShape();
  expect(open(shapeLog).apply(WHOLE)).toEqual({ type: 'log.taken', through: 200, end: '200_0', changed: true });
});

test.each([
  ['from xmax on', 101],
  ['below xmax, and running', 95],
])('the snapshot filters what was logged before it, also behind a transaction that it does not see (%s)', async (_, xid) => {
  const shapeLog = await storedShape();
  const hidden = transactionOf({ xid, lsn: '90' }, [{ kind: 'insert', new: ['3', 'waits for a standby', null] }]);
  const block = { ...blockOf([hidden, ...TRANSACTIONS]), through: 200 as LogPosition };
  const log = open(shapeLog, block);
  log.apply(WHOLE);
  log.apply({ publish: 200 as LogPosition });
  expect(idsOf(shapeLog)).toEqual(['3', '2']);
});

test('a splice is recorded behind what readers were told, and not at all while nobody can say that', async () => {
  const { shapes } = memoryStorage({});
  const definition = { ...shapeOf({}), dependencies: [{ shape: shapeOf({ columns: ['id'] }), column: 'id' }] };
  const shapeLog = shapes.create(handleOf(1), definition, [handleOf(2)]);
  shapeLog.beginViews([SNAPSHOT_END]);
  const place = 0 as LogPosition;
  const record = { place, through: place, views: ['7_0' as LogOffset], pgSnapshot: null, rows: null };

  const told = [undefined, '50' as Lsn].map((lsn) => open(shapeLog, BLOCK, { processedLsn: () => lsn }).apply({ record })?.type);

  expect({ told, recorded: shapeLog.nextSplice }).toMatchObject({
    told: ['collector.isGone', 'splice.recorded'],
    recorded: { number: 1, first: '50_0' },
  });
});

test('what was taken before a restart is left out, also when the snapshot no longer filters', async () => {
  const shapeLog = await storedShape();
  shapeLog.publish(100 as LogPosition); // The first transaction was left out as seen; it left no line.
  shapeLog.stopFiltering();
  const log = open(shapeLog);
  log.apply(WHOLE);
  log.apply({ publish: 200 as LogPosition });
  expect(idsOf(shapeLog)).toEqual(['2']);
});

test('a transaction whose lines its log has is taken once, though its position lies before it', async () => {
  const shapeLog = await storedShape();
  const again = transactionOf({ xid: 201, lsn: '300' }, [{ kind: 'insert', new: ['3', 'the last', null] }]);
  open(shapeLog, { ...blockOf([...TRANSACTIONS, again]), through: 300 as LogPosition }).apply(WHOLE);
  shapeLog.publish(100 as LogPosition);

  const log = open(shapeLog);
  const told = log.apply(WHOLE);
  log.apply({ publish: 300 as LogPosition });
  expect({ told, ids: idsOf(shapeLog) }).toEqual({
    told: { type: 'log.taken', through: 200, end: '300_0', changed: false },
    ids: ['2', '3'],
  });
});

test('behind the last transaction that the snapshot may have seen, nothing is filtered any more', async () => {
  const shapeLog = await storedShape();
  open(shapeLog).apply(WHOLE);
  expect(shapeLog.filterBy).toBe(undefined);
});

test('lines that an earlier Consumer did not publish are forgotten', async () => {
  const shapeLog = await storedShape();
  shapeLog.append('100' as Lsn, 0, Buffer.from('{"value":{"id":"unpublished"}}'));
  const log = open(shapeLog);
  log.apply({ publish: 100 as LogPosition });
  expect(idsOf(shapeLog)).toEqual([]);
});

test('a new end is announced once, when it can be read', async () => {
  const shapeLog = await storedShape();
  const announced: (readonly [LogOffset, ids: unknown[]])[] = [];
  const log = open(shapeLog, BLOCK, { announce: (_, end) => announced.push([end, idsOf(shapeLog)]) });
  log.apply({ publish: 100 as LogPosition });
  log.apply(WHOLE);
  log.apply({ publish: 200 as LogPosition });
  log.apply({ publish: 300 as LogPosition });
  expect(announced).toEqual([['200_0', ['2']]]);
});

test('a shape holds the log back until its Consumer has caught up, and goes along from then on though nothing touches it', async () => {
  const storage = memoryStorage({});
  const shapeLog = await storedShape(storage);
  const log = open(shapeLog, BLOCK, { takenByAll: () => storage.shapes.position });
  const isAlong: boolean[] = [];
  for (const commit of [1, 2, 3]) {
    storage.shapes.advance(await grow(storage, commit));
    if (commit === 2) log.apply('goAlong');
    isAlong.push(shapeLog.position === storage.shapes.position);
  }
  expect(isAlong).toEqual([false, true, true]);
});

const BAD_TRANSACTIONS = [
  ['truncate', 'a truncate', { kind: 'truncate' }, itemsLayout],
  ['schemaChanged', 'a table made anew under the same name', { kind: 'insert', new: ['1', 'a', null] }, { ...itemsLayout, oid: 1 }],
  ['replicaIdentity', 'changes without their old rows', { kind: 'gap', cause: 'replicaIdentity' }, itemsLayout],
  ['transactionTooLarge', 'a transaction over the limit', { kind: 'gap', cause: 'transactionTooLarge' }, itemsLayout],
] as const;

/** A log over one transaction that brings `change`. */
function openOver(shapeLog: ShapeLog, transaction: { xid: number; lsn: string }, change: RowChange, layout: RelationLayout): ConsumerLog {
  const block = { ...blockOf([transactionOf(transaction, [change])]), through: 200 as LogPosition };
  const lines = new ChangeConverter(shapeLog.definition, undefined, () => layout);
  return open(shapeLog, block, { lines, layoutOf: () => layout });
}

test.each(BAD_TRANSACTIONS)('the log cannot go on (%s) behind %s', async (why, _, change, layout) => {
  const log = openOver(await storedShape(), { xid: 200, lsn: '200' }, change, layout);
  expect(log.apply(WHOLE)).toEqual({ type: 'log.ended', cause: { delete: why, xid: 200, lsn: '200' } });
});

test('the log cannot go on behind a row in which the filter has an error, and says which', async () => {
  const shapeLog = await storedShape();
  const where: Where = {
    canonical: '', columns: [], query: { sql: '', params: [] }, lookups: undefined,
    evaluate: () => {
      throw divisionByZero();
    },
  };
  const log = open(shapeLog, BLOCK, { lines: new ChangeConverter(shapeLog.definition, where, () => itemsLayout) });

  const error = { code: '22012', message: 'division by zero', status: 400 };
  expect([log.apply(WHOLE), shapeLog.end]).toEqual([
    { type: 'log.ended', cause: { delete: 'filterFailed', error, xid: 200, lsn: '200' } }, '0_inf',
  ]);
});

test.each(BAD_TRANSACTIONS)('the log goes on (%s) over %s, when the snapshot saw that already', async (_, __, change, layout) => {
  const log = openOver(await storedShape(), { xid: 90, lsn: '100' }, change, layout);
  expect(log.apply(WHOLE)).toMatchObject({ type: 'log.taken', changed: false });
});

test.each(['closed', 'killed'])('after a restart of a service that was %s, the same log gives the same end', async (how) => {
  const disk = new MemoryDisk();
  const start = (pid: number): Promise<Storage> =>
    openStorage({
      directory: '/data', clock: new ManualClock(), disk: disk.mount(),
      processes: { self: { host: 'here', pid, start: '' }, isAlive: () => false },
    });
  const takeAll = async ({ log, shapes }: Storage): Promise<unknown> => {
    const shapeLog = shapes.get(handleOf(1));
    const block = await log.read({ after: shapeLog?.position ?? LOG_START, through: log.durableEnd }, upTo(1e9));
    return shapeLog && open(shapeLog, block).apply({ takeUnrouted: block });
  };
  const before = await start(1);
  await storedShape(before);
  for (const fragment of transactionOf({ xid: 200, lsn: '200' }, [{ kind: 'gap', cause: 'transactionTooLarge' }]).fragments) {
    before.log.appendChanges(200 as Xid, fragment);
  }
  before.log.appendCommit(200 as Xid, '200' as Lsn);
  await before.log.sync();
  const first = await takeAll(before);

  if (how === 'closed') await before.close();
  else disk.crash(seededRandom(1));
  const again = await takeAll(await start(2));

  const ended = { type: 'log.ended', cause: { delete: 'transactionTooLarge', xid: 200, lsn: '200' } };
  expect({ first, again }).toEqual({ first: ended, again: ended });
});

/** One transaction of three rows, in as many parts. */
const PARTS = ['1', '2', '3'].map((id, index) => ({
  ...blockOf([
    { ...transactionOf({ xid: 200, lsn: '200' }, [{ kind: 'insert', new: [id, 'of many', null] }]), isUnfinished: index < 2 },
  ]),
  through: (150 + 25 * index) as LogPosition,
}));

test('a transaction in parts is seen when its last part has come, whole, with one last line', async () => {
  const shapeLog = await storedShape();
  const blocks = PARTS.map((block, index) => placedAt(block, 2 * index));
  const log = open(shapeLog, undefined, { loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} } });
  const told: unknown[] = [];
  const seen: unknown[] = [];
  for (const { through } of PARTS) {
    told.push(log.apply({ takeUnrouted: { after: 0 as LogPosition, through } }));
    seen.push(idsOf(shapeLog));
  }
  log.apply({ publish: 200 as LogPosition });

  expect({ told, seen, ids: idsOf(shapeLog), marked: lastMarks(shapeLog) }).toEqual({
    told: [
      { type: 'part.taken', through: 150, isMuch: false },
      { type: 'part.taken', through: 175, isMuch: false },
      { type: 'log.taken', through: 200, end: '200_4', changed: true },
    ],
    seen: [[], [], []],
    ids: ['1', '2', '3'],
    marked: [undefined, undefined, true],
  });
});

test('the line that is held back stays what it is, whatever another shape of the same columns makes of a part meanwhile', async () => {
  const { shapes } = memoryStorage({});
  const projection = new Projection(shapeOf({}));
  const made = [1, 2].map((number) => {
    const shapeLog = shapes.create(handleOf(number), shapeOf({}));
    const blocks = PARTS.map((block, index) => placedAt(block, 2 * (number - 1 + index)));
    const lines = new ChangeConverter(shapeLog.definition, undefined, () => itemsLayout, projection);
    return { shapeLog, log: open(shapeLog, undefined, { lines, loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} } }) };
  });
  for (const { through } of PARTS) for (const { log } of made) log.apply({ takeUnrouted: { after: 0 as LogPosition, through } });
  for (const { log } of made) log.apply({ publish: 200 as LogPosition });

  expect(made.map(({ shapeLog }) => idsOf(shapeLog))).toEqual([['1', '2', '3'], ['2', '3', '4']]);
});

test('a part that brings the shape nothing shows nothing either', async () => {
  const layoutOf = () => ({ ...itemsLayout, oid: 9, name: 'other' });
  const log = open(await storedShape(), PARTS[0], { layoutOf });

  expect(log.apply(WHOLE)).toEqual({ type: 'part.taken', through: 150, isMuch: false });
});

test('a Consumer that ends leaves nothing loaded', async () => {
  const closed: string[] = [];
  const loaded = { take: () => BLOCK, close: () => void closed.push('blocks') };
  const movedRows = { take: () => new Uint8Array(), close: () => void closed.push('rows'), clone: uncopied('rows') };
  open(await storedShape(), BLOCK, { loaded, movedRows }).close();

  expect(closed.sort()).toEqual(['blocks', 'rows']);
});

test('the line that is the last is marked, also when the parts behind it bring nothing', async () => {
  const shapeLog = await storedShape();
  const [first, second, third] = PARTS.map((block, index) => placedAt(block, 2 * index));
  const foreign = { ...itemsLayout, id: 2, oid: 9, name: 'other' };
  const blocks = [first, ofOther(second), ofOther(third)];
  const log = open(shapeLog, undefined, {
    loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} },
    layoutOf: (id) => (id === 2 ? foreign : itemsLayout),
  });
  for (const { through } of PARTS) log.apply({ takeUnrouted: { after: 0 as LogPosition, through } });
  log.apply({ publish: 200 as LogPosition });

  expect({ ids: idsOf(shapeLog), marked: lastMarks(shapeLog) }).toEqual({ ids: ['1'], marked: [true] });
});

test('a transaction in parts that the snapshot saw leaves nothing', async () => {
  const shapeLog = await storedShape();
  const seen = { xid: 90 as Xid, lsn: '100' as Lsn };
  const blocks = PARTS.map((block) => ({ ...block, transactions: block.transactions.map((part) => ({ ...part, ...seen })) }));
  const log = open(shapeLog, undefined, { loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} } });
  const told = PARTS.map(({ through }) => log.apply({ takeUnrouted: { after: 0 as LogPosition, through } }));

  expect(told.at(-1)).toMatchObject({ type: 'log.taken', changed: false });
});

test('a Consumer that begins anew takes a transaction in parts from its beginning', async () => {
  const shapeLog = await storedShape();
  const blocks = [...PARTS.slice(0, 2), ...PARTS].map((block) => placedAt(block, 2 * PARTS.indexOf(block)));
  const ports = { loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} } };
  const take = (log: ConsumerLog, count: number): void => {
    for (const { through } of PARTS.slice(0, count)) log.apply({ takeUnrouted: { after: 0 as LogPosition, through } });
  };
  take(open(shapeLog, undefined, ports), 2);
  const again = open(shapeLog, undefined, ports);
  take(again, 3);
  again.apply({ publish: 200 as LogPosition });

  expect({ ids: idsOf(shapeLog), marked: lastMarks(shapeLog) }).toEqual({ ids: ['1', '2', '3'], marked: [undefined, undefined, true] });
});

test('a shape that leaves the pace stays behind the others until it has caught up, and tells where it waits', async () => {
  const storage = memoryStorage({});
  const shapeLog = await storedShape(storage);
  const log = open(shapeLog, BLOCK, { takenByAll: () => storage.shapes.position, processedLsn: () => '7' as Lsn });
  const seen: unknown[] = [];
  log.apply('goAlong');
  for (const step of ['leavePace', 'goAlong'] as const) {
    log.apply(step);
    storage.shapes.advance(await grow(storage, seen.length + 1));
    seen.push([shapeLog.position === storage.shapes.position, shapeLog.waitsAt]);
  }

  expect(seen).toEqual([
    [false, '7'],
    [true, undefined],
  ]);
});

test('when its Consumer ends, a shape that depends on others promises nothing, though it has left the pace before', () => {
  const { shapes } = memoryStorage({});
  const shapeLog = shapes.create(handleOf(1), { ...shapeOf({}), dependencies: [] });
  const log = open(shapeLog, BLOCK, { takenByAll: () => shapes.position, processedLsn: () => '7' as Lsn });
  log.apply('goAlong');
  log.apply('leavePace');
  log.close();

  expect(shapeLog.waitsAt).toBe('0');
});

test('a shape that has left the pace does not go along by what it takes, before nothing is left to take', async () => {
  const storage = memoryStorage({});
  const shapeLog = await storedShape(storage);
  const log = open(shapeLog, BLOCK, { takenByAll: () => storage.shapes.position });
  log.apply('goAlong');
  log.apply('leavePace');
  log.apply({ publish: storage.shapes.position });
  storage.shapes.advance(await grow(storage, 1));

  expect(shapeLog.position).toBe(LOG_START);
});

test('a shape that was left behind, and does not know yet, does not go along by what others have taken', async () => {
  const storage = memoryStorage({});
  const shapeLog = await storedShape(storage);
  const log = open(shapeLog, BLOCK, { takenByAll: () => storage.shapes.position });
  log.apply('goAlong');
  shapeLog.leaveBehind('7' as Lsn);
  storage.shapes.advance(await grow(storage, 1));

  log.apply('goAlong');

  expect([shapeLog.position, shapeLog.waitsAt]).toEqual([LOG_START, '7']);
});

test('where the shape stands when it leaves the pace is told: what all have taken by then is none of its own', async () => {
  const storage = memoryStorage({});
  const log = open(await storedShape(storage), BLOCK, { takenByAll: () => storage.shapes.position });
  log.apply('goAlong');
  const position = await grow(storage, 1);
  storage.shapes.advance(position);

  expect(log.apply('leavePace')).toEqual({ type: 'log.located', position });
});

/** Each with a line of some 10,000 bytes. The last line of each part is held back until the next. */
const wideParts = (): LogBlock[] => {
  const wide = (position: number) => ({ ...INSERT, new: [String(position), 'x'.repeat(10_000), null], position });
  return [0, 2, 4, 6, 8].map((position) => {
    return ofChanges(PARTS[0] ?? BLOCK, ({ xid, lsn }) => placedTransaction({ xid, lsn }, [wide(position)]));
  });
};

test('of a transaction in parts the shape says each time when it holds much that nobody sees', async () => {
  const parts = wideParts();
  const log = open(await storedShape(), undefined, { loaded: { take: () => parts.shift() ?? BLOCK, close: () => {} } });

  const told = [1, 2, 3, 4, 5].map(() => log.apply(WHOLE));

  expect(told.map((each) => each?.isMuch)).toEqual([false, false, true, false, true]);
});

test('what is much stays in memory while there is room for it, until it leaves, or its shape ends', async () => {
  const parts = wideParts();
  const hidden = hiddenLines(35_000, 35_000);
  const log = open(await storedShape(), undefined, { hidden, loaded: { take: () => parts.shift() ?? BLOCK, close: () => {} } });
  const mayOthers = (): boolean => hidden.mayStay(parts, 20_000) && (hidden.release(parts), true);

  const told = [1, 2, 3].map(() => log.apply(WHOLE)?.['isMuch']);
  const beside = mayOthers();
  told.push(...[4, 5].map(() => log.apply(WHOLE)?.['isMuch']));
  const behind = mayOthers();
  log.close();

  expect({ told, beside, behind, atLast: hidden.mayStay(parts, 35_000) }).toEqual({
    told: [false, false, false, false, true], beside: false, behind: true, atLast: true,
  });
});

test('what a whole transaction brought counts no more for what one in parts may hide behind it', async () => {
  const wide = (xid: number, isUnfinished: boolean): LogBlock => {
    const insert = { ...INSERT, new: [String(xid), 'x'.repeat(10_000), null], position: 0 };
    return blockOf([{ ...placedTransaction({ xid, lsn: String(xid) }, [insert]), isUnfinished }]);
  };
  const blocks = [wide(200, false), wide(300, true), wide(300, true)];
  const log = open(await storedShape(), undefined, { loaded: { take: () => blocks.shift() ?? BLOCK, close: () => {} } });

  expect([1, 2, 3].map(() => log.apply(WHOLE)?.['isMuch'])).toEqual([undefined, false, false]);
});

test('the end of a transaction in parts shows what the shape has of it, also when its last part brings nothing', async () => {
  const shapeLog = await storedShape();
  const [first, second] = PARTS;
  const deliveries = new Deliveries();
  const routed = { changes: Uint32Array.of(0, 0, 0) };
  const begin = (block: LogBlock | undefined, changes: typeof routed): DeliveryId =>
    deliveries.begin(block ?? BLOCK, [new Map([[handleOf(1), changes]])]).id;
  const ids = [begin(first, routed), begin(ofOther(second && finished(second)), { changes: new Uint32Array() })];
  const log = open(shapeLog, BLOCK, { delivery: (id) => deliveries.get(id) });

  const told = ids.map((id) => log.apply({ take: id }));
  const before = idsOf(shapeLog);
  log.apply({ publish: 200 as LogPosition });

  expect({ told: told.map((each) => each?.type), before, ids: idsOf(shapeLog), marked: lastMarks(shapeLog) }).toEqual({
    told: ['part.taken', 'log.taken'],
    before: [],
    ids: ['1'],
    marked: [true],
  });
});

test('of a delivery whose owner has ended nothing is taken', async () => {
  const log = open(await storedShape());
  const told = log.apply({ take: 1 as DeliveryId });
  expect([told, log.apply(WHOLE)]).toMatchObject([{ type: 'log.withdrawn' }, { type: 'log.taken', changed: true }]);
});

/** The same change, further on in its transaction. */
function placedAt(block: LogBlock, position: number): LogBlock {
  return ofChanges(block, ({ xid, lsn }) =>
    placedTransaction({ xid, lsn }, [{ ...INSERT, new: [String(1 + position / 2), 'of many', null], position }]),
  );
}

function finished(part: LogBlock): LogBlock {
  return { ...part, transactions: part.transactions.map((transaction) => ({ ...transaction, isUnfinished: false })) };
}

function ofOther(block: LogBlock | undefined): LogBlock {
  return ofChanges(block ?? BLOCK, ({ xid, lsn }) => placedTransaction({ xid, lsn }, [{ ...INSERT, layoutId: 2, position: 0 }]));
}

function ofChanges(block: LogBlock, made: (part: LoggedTransaction) => LoggedTransaction): LogBlock {
  return { ...block, transactions: block.transactions.map((part) => ({ ...made(part), isUnfinished: part.isUnfinished })) };
}

function lastMarks(shapeLog: ShapeLog): unknown[] {
  return linesOf(shapeLog).map(({ headers }) => headers.last);
}

function idsOf(shapeLog: ShapeLog): unknown[] {
  return linesOf(shapeLog).map(({ value }) => value.id);
}

interface Line {
  readonly value: { readonly id: string };
  readonly headers: { readonly last?: true };
}

function linesOf(shapeLog: ShapeLog): readonly Line[] {
  const read = shapeLog.read('0_inf' as LogOffset);
  const runs = read.outcome === 'entries' && isInMemory(read.runs) ? read.runs : [];
  const lines = Buffer.concat(runs.map(({ bytes }) => bytes)).toString();
  return JSON.parse(`[${lines.slice(0, -1)}]`) as Line[];
}
