/** What a splice puts into the log of a shape, and by which view the transactions around it are taken. */
import { expect, test } from 'vitest';
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import { LinkValues } from '../../../src/actors/link-values.ts';
import { uncopied } from '../../../src/base/fork.ts';
import { placeAt } from '../../../src/model/log-entry.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO } from '../../../src/model/lsn.ts';
import type { PgSnapshot } from '../../../src/model/pg-snapshot.ts';
import type { PlacedRow } from '../../../src/model/row-values.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import type { LogBlock, LoggedTransaction } from '../../../src/model/transaction.ts';
import type { Message, Pid } from '../../../src/otp/process.ts';
import { moveTarget } from '../../../src/service/wiring/move-target.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { MovedRows } from '../../../src/storage/shapes/moved-rows.ts';
import { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';
import { blockOf, changeBytes, transactionOf, type Row, type RowChange } from '../../support/actors/changes.ts';
import { FOLLOWER, followerPorts } from '../../support/actors/follower-ports.ts';
import { committed, deleted, inserted } from '../../support/actors/placed-rows.ts';
import { toldMoves } from '../../support/actors/told-moves.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { isEqual, isIn, subqueryFilter } from '../../support/shapes/subquery-filter.ts';
import { entriesOf, text } from '../../support/storage/stored-samples.ts';

const [CONSUMER, MATERIALIZER] = ['consumer#1' as Pid, 'materializer#1' as Pid];
const OWNED = subqueryFilter(['owner'], [[isIn('owner', 0)]]);
const NOT_OWNED_OR_NEWS = subqueryFilter(['owner', 'title'], [[isIn('owner', 0, 'text', new Set([false]))], [isEqual('title', 'news')]]);

/** A query about moves: the transactions below `xmax` that it does not see are `running`. */
interface Query {
  readonly xmax: number;
  readonly running?: readonly number[];
  /** All that it brings. */
  readonly rows: readonly Row[];
}

interface Splice {
  /** Left out where nothing has to be asked. */
  readonly query?: Query;
  /** What the log holds by then that the shape has not taken yet. */
  readonly streamed?: readonly LoggedTransaction[];
}

/** Who may own a row, each as the one row of a Materializer; `nobody` is NULL. */
function ownersOf(first: readonly string[]) {
  const blocks = new ShapeBlocks();
  const owners = new LinkValues('value', followerPorts(blocks));
  let xid = 0;
  const apply = (through: LogOffset, rows: readonly PlacedRow[]): void => {
    const block = { after: owners.place, through: placeAt(through) };
    blocks.put(FOLLOWER, block, rows);
    owners.apply({ block });
  };
  const rowOf = (owner: string): PlacedRow => inserted(owner, owner === 'nobody' ? null : owner);
  apply(SNAPSHOT_END, first.map(rowOf));
  return {
    owners,
    /** One transaction, of the next xid from 1 on. */
    move(moves: { readonly come?: readonly string[]; readonly go?: readonly string[] }): void {
      xid += 1;
      const { come = [], go = [] } = moves;
      const rows = committed(String(xid), [...come.map(rowOf), ...go.map(deleted)]);
      apply(rows.at(-1)?.offset ?? SNAPSHOT_END, rows);
    },
  };
}

/** A shape of the rows whose owner is one of `first`; what is done to its log is what its Consumer asks for, in that order. */
async function shapeOwnedBy(first: readonly string[], moveOuts?: 'deletes', where = OWNED) {
  const { owners, move } = ownersOf(first);
  const { shapes } = memoryStorage();
  shapes.create(handleOf(1), shapeOf({}));
  const shapeLog = shapes.create(handleOf(2), definitionWith(moveOuts), [handleOf(1)]);
  const lines = new ChangeConverter(shapeLog.definition, where, () => itemsLayout, undefined, (owner) => owner);
  const [movedRows, blocks] = [new MovedRows(), new Array<LogBlock>()];
  const log = new ConsumerLog({
    shapeLog,
    lines,
    valuesOf: () => owners,
    movedRows: movedRows.slot(CONSUMER),
    loaded: { take: () => blocks.shift() ?? blockOf([]), close: () => {} },
    delivery: () => undefined,
    layoutOf: () => itemsLayout,
    takenByAll: () => LOG_START,
    processedLsn: () => LSN_ZERO,
    announce: () => {},
    clone: uncopied('a storage'),
  });
  log.apply({ depend: [MATERIALIZER], offsets: [owners.offset] });
  await shapeLog.beginSnapshot(snapshotOf({ xmax: 1, rows: [] }, LSN_ZERO)).complete();

  const read = (transactions: readonly LoggedTransaction[], isSeen?: 'seen'): Message | undefined => {
    const range = { after: shapeLog.position, through: transactions.at(-1)?.end ?? shapeLog.position };
    blocks.push({ ...blockOf(transactions), ...range });
    return log.apply(isSeen === undefined ? { takeUnrouted: range } : { takeSeen: range });
  };
  const rowsOf = async ({ rows }: Query, views: readonly LogOffset[]) => {
    const [runtime, transactionLog] = [{ tableOf: () => owners }, { firstUnseen: () => undefined }];
    const target = moveTarget({ runtime, seesShown: () => true, log: transactionLog, shapeLog, lines, where }, views);
    await target?.rows(Buffer.concat(rows.map((row) => changeBytes({ kind: 'insert', new: row, layoutId: 1, position: 0 }))));
    return (await target?.complete()) ?? null;
  };
  const plan = () => log.apply({ plan: [owners.offset] });
  const world = {
    move,
    plan,
    take(...transactions: readonly LoggedTransaction[]): void {
      read(transactions);
      log.apply({ publish: transactions.at(-1)?.end ?? shapeLog.position });
    },
    async record({ query, streamed = [] }: Splice): Promise<void> {
      const place = shapeLog.position;
      const views = plan()?.['views'] as readonly LogOffset[];
      const last = streamed.at(-1);
      const pgSnapshot = query === undefined ? null : snapshotOf(query, last?.lsn ?? LSN_ZERO);
      const rows = query === undefined ? null : await rowsOf(query, views);
      log.apply({ record: { place, through: last?.end ?? place, views, pgSnapshot, rows } });
    },
    seen: (...streamed: readonly LoggedTransaction[]) => read(streamed, 'seen'),
    async finish({ streamed = [] }: Splice): Promise<void> {
      if (streamed.length > 0) world.seen(...streamed);
      toldMoves(log, 'tellMoveIn');
      if (shapeLog.nextSplice?.rows) {
        movedRows.put(CONSUMER, await shapeLog.readMoved(0));
        log.apply('takeMoved');
      }
      log.apply('endRows');
      toldMoves(log, 'tellMoveOut');
      log.apply('endSplice');
      log.apply({ publish: shapeLog.position });
      world.take(...streamed);
    },
    async splice(wish: Splice): Promise<void> {
      await world.record(wish);
      await world.finish(wish);
    },
    /** The lines, in short. */
    async told(): Promise<readonly string[]> {
      const entries = await entriesOf(shapeLog.read(SNAPSHOT_END));
      return entries.map(({ bytes }) => inShort(JSON.parse(text(bytes)) as Line));
    },
  };
  return world;
}

function definitionWith(moveOuts?: 'deletes'): ShapeDefinition {
  const definition = { ...shapeOf({}), reads: itemsLayout.columns, dependencies: [{ shape: shapeOf({}), column: 'value' }] };
  return moveOuts === undefined ? definition : { ...definition, moveOuts };
}

function snapshotOf({ xmax, running = [] }: Query, insertLsn: PgSnapshot['insertLsn']): PgSnapshot {
  return { xmin: String(Math.min(xmax, ...running)), xmax: String(xmax), xip: running.map(String), insertLsn };
}

interface Line {
  readonly value?: { readonly id: string };
  readonly headers: {
    readonly operation?: string;
    readonly is_move_in?: true;
    readonly event?: string;
    readonly patterns?: readonly { readonly value: string }[];
    readonly txids?: readonly number[];
    readonly lsn?: string;
    readonly last?: true;
    readonly control?: string;
  };
}

function inShort({ value, headers }: Line): string {
  const { operation, is_move_in: isMoved, event, patterns = [], txids = [], control } = headers;
  if (event !== undefined) return `${event} of ${patterns.map((pattern) => pattern.value.replace('v:', '')).join()} by ${txids.join()}`;
  const row = control ?? `${isMoved ? 'moved ' : ''}${operation} ${value?.id}`;
  return headers.last && headers.lsn === undefined ? `${row}, the last by ${txids.join()}` : row;
}

function transaction(xid: number, lsn: number, ...changes: readonly RowChange[]): LoggedTransaction {
  return transactionOf({ xid, lsn: String(lsn) }, changes);
}

function insert(id: string, owner: string): RowChange {
  return { kind: 'insert', new: [id, 'title', owner] };
}

function update(id: string, from: string, to: string): RowChange {
  return { kind: 'update', old: [id, 'title', from], new: [id, 'title', to] };
}

test('of a transaction the shape takes the rows that its view selects', async () => {
  const shape = await shapeOwnedBy(['ann']);
  shape.take(transaction(50, 100, insert('1', 'ann'), insert('2', 'ben')));

  expect(await shape.told()).toEqual(['insert 1']);
});

test('what the query saw comes before the moves, by the view before; what it did not see behind its rows, by the view after', async () => {
  const shape = await shapeOwnedBy(['ann']);
  shape.move({ come: ['ben'] });
  const streamed = [
    transaction(50, 100, insert('1', 'ann'), insert('2', 'ben')),
    transaction(150, 110, insert('3', 'ben'), { kind: 'update', old: ['2', 'title', 'ben'], new: ['2', 'new', 'ben'] }),
  ];
  await shape.splice({ query: { xmax: 100, rows: [['2', 'title', 'ben']] }, streamed });

  expect(await shape.told()).toEqual([
    'insert 1', 'move-in of ben by 1', 'moved insert 2', 'snapshot-end', 'insert 3', 'update 2',
  ]);
});

test('a row that goes to the value that comes leaves by the view before, and comes by the view after', async () => {
  const shape = await shapeOwnedBy(['ann']);
  shape.take(transaction(40, 90, insert('1', 'ann'), insert('3', 'cid')));
  shape.move({ come: ['ben'] });
  const streamed = [transaction(50, 100, update('1', 'ann', 'ben')), transaction(150, 110, update('3', 'cid', 'ben'))];
  await shape.splice({ query: { xmax: 100, rows: [['1', 'title', 'ben']] }, streamed });

  expect(await shape.told()).toEqual([
    'insert 1', 'delete 1', 'move-in of ben by 1', 'moved insert 1', 'snapshot-end', 'insert 3',
  ]);
});

test.each([
  ['from xmax on', 150, { xmax: 100 }],
  ['below xmax, and running', 60, { xmax: 100, running: [60] }],
])('a transaction that hides from the query (%s) comes behind it, though one that is logged later was seen', async (_, hidden, sees) => {
  const shape = await shapeOwnedBy(['ann']);
  shape.move({ come: ['ben'] });
  const streamed = [
    transaction(hidden, 100, insert('3', 'ben'), insert('5', 'ann')), transaction(50, 110, insert('2', 'ben'), insert('4', 'ann')),
  ];
  await shape.splice({ query: { ...sees, rows: [['2', 'title', 'ben']] }, streamed });

  expect(await shape.told()).toEqual(['insert 4', 'move-in of ben by 1', 'moved insert 2', 'snapshot-end', 'insert 3', 'insert 5']);
});

test('rows that the shape has already do not come with a move, nor those that no view selects', async () => {
  const shape = await shapeOwnedBy(['ann']);
  shape.move({ come: ['ben'] });
  await shape.splice({ query: { xmax: 100, rows: [['1', 'title', 'ann'], ['2', 'title', 'ben'], ['3', 'title', 'cid']] } });

  expect(await shape.told()).toEqual(['move-in of ben by 1', 'moved insert 2', 'snapshot-end']);
});

test('a query that brings nothing ends with no snapshot-end', async () => {
  const shape = await shapeOwnedBy([]);
  shape.move({ come: ['ben'] });
  await shape.splice({ query: { xmax: 100, rows: [] } });

  expect(await shape.told()).toEqual(['move-in of ben by 1']);
});

test('all that has moved is one splice: what comes is told before what goes, each in one event with all transactions', async () => {
  const shape = await shapeOwnedBy(['ann', 'art']);
  shape.move({ come: ['ben'], go: ['ann'] });
  shape.move({ come: ['cid'], go: ['art'] });
  await shape.splice({ query: { xmax: 100, rows: [['2', 'title', 'ben'], ['3', 'title', 'cid']] } });

  expect(await shape.told()).toEqual([
    'move-in of ben,cid by 1,2', 'moved insert 2', 'moved insert 3', 'snapshot-end', 'move-out of ann,art by 1,2',
  ]);
});

test('Postgres is asked only where rows may come, but for the first splice', async () => {
  const shape = await shapeOwnedBy(['ann', 'art']);
  shape.move({ go: ['ann'] });
  const asked = [shape.plan()?.['needsQuery']];
  await shape.splice({ query: { xmax: 100, rows: [] } });
  shape.move({ go: ['art'] });
  asked.push(shape.plan()?.['needsQuery']);
  await shape.splice({});
  shape.move({ come: ['ann'] });
  asked.push(shape.plan()?.['needsQuery']);

  expect({ asked, told: await shape.told() }).toEqual({
    asked: [true, false, true], told: ['move-out of ann by 1', 'move-out of art by 2'],
  });
});

test('what has come and gone again is told by nothing, and the next splice begins behind it', async () => {
  const shape = await shapeOwnedBy(['ann']);
  await shape.splice({ query: { xmax: 100, rows: [] } });
  shape.move({ come: ['ben'], go: ['ann'] });
  shape.move({ come: ['ann'], go: ['ben'] });
  const needsQuery = shape.plan()?.['needsQuery'];
  await shape.splice({});
  shape.move({ go: ['ann'] });
  await shape.splice({});

  expect({ needsQuery, told: await shape.told() }).toEqual({ needsQuery: false, told: ['move-out of ann by 3'] });
});

test('a value that goes while the splice is made that brings it goes with the next one', async () => {
  const shape = await shapeOwnedBy([]);
  shape.move({ come: ['ben'] });
  const wish = { query: { xmax: 100, rows: [['2', 'title', 'ben']] }, streamed: [transaction(150, 100, insert('3', 'ben'))] };
  await shape.record(wish);
  shape.move({ go: ['ben'] });
  await shape.finish(wish);
  await shape.splice({});

  expect(await shape.told()).toEqual([
    'move-in of ben by 1', 'moved insert 2', 'snapshot-end', 'insert 3', 'move-out of ben by 2',
  ]);
});

test('a truncate that the query saw ends the shape, and nothing of the splice is told', async () => {
  const shape = await shapeOwnedBy([]);
  shape.move({ come: ['ben'] });
  const streamed = [transaction(50, 100, insert('2', 'ben')), transaction(60, 110, { kind: 'truncate' })];
  await shape.record({ query: { xmax: 100, rows: [] }, streamed });

  expect({ answer: shape.seen(...streamed), told: await shape.told() }).toEqual({
    answer: { type: 'log.ended', cause: { delete: 'truncate', xid: 60, lsn: '110' } }, told: [],
  });
});

test('where no event is told, rows come as inserts and go as deletes, and those of both are asked for', async () => {
  const shape = await shapeOwnedBy(['ann'], 'deletes');
  shape.take(transaction(40, 90, insert('1', 'ann')));
  shape.move({ come: ['ben'], go: ['ann'] });
  await shape.splice({ query: { xmax: 100, rows: [['1', 'title', 'ann'], ['2', 'title', 'ben']] } });
  shape.move({ go: ['ben'] });

  expect({ told: await shape.told(), needsQuery: shape.plan()?.['needsQuery'] }).toEqual({
    told: ['insert 1', 'delete 1', 'insert 2, the last by 1'], needsQuery: true,
  });
});

test('where the filter wants what is not selected, a value that goes brings rows, and one that comes is an event alone', async () => {
  const shape = await shapeOwnedBy(['ann', 'art'], undefined, NOT_OWNED_OR_NEWS);
  await shape.splice({ query: { xmax: 100, rows: [] } });
  shape.move({ come: ['ben'] });
  const asked = [shape.plan()?.['needsQuery']];
  await shape.splice({});
  shape.move({ go: ['ann'] });
  asked.push(shape.plan()?.['needsQuery']);
  await shape.splice({ query: { xmax: 100, rows: [['1', 'title', 'ann'], ['2', 'news', 'ann']] } });

  expect({ asked, told: await shape.told() }).toEqual({
    asked: [false, true], told: ['move-out of ben by 1', 'move-in of ann by 2', 'moved insert 1', 'snapshot-end'],
  });
});

test('a first and a last row move those without a value, by their tag', async () => {
  const shape = await shapeOwnedBy([], undefined, NOT_OWNED_OR_NEWS);
  await shape.splice({ query: { xmax: 100, rows: [] } });
  shape.move({ come: ['ben'] });
  const asked = [shape.plan()?.['needsQuery']];
  await shape.splice({});
  shape.move({ go: ['ben'] });
  asked.push(shape.plan()?.['needsQuery']);
  await shape.splice({ query: { xmax: 100, rows: [['1', 'title', null], ['2', 'title', 'ben']] } });

  expect({ asked, told: await shape.told() }).toEqual({
    asked: [false, true],
    told: ['move-out of ben,NULL by 1', 'move-in of ben,NULL by 2', 'moved insert 1', 'moved insert 2', 'snapshot-end'],
  });
});

test('when NULL comes or goes no event is told: each row is, and that of one that stays tells by what', async () => {
  const shape = await shapeOwnedBy(['ann'], undefined, NOT_OWNED_OR_NEWS);
  const rows = [['1', 'title', 'ann'], ['2', 'title', 'ben'], ['3', 'news', 'ben'], ['4', 'news', 'ann'], ['5', 'title', null]];
  shape.move({ come: ['nobody'], go: ['ann'] });
  const asked = [shape.plan()?.['needsQuery']];
  await shape.splice({ query: { xmax: 100, rows } });
  shape.move({ come: ['ann'] }); // Whatever is selected beside NULL: no row comes or goes.
  asked.push(shape.plan()?.['needsQuery']);
  await shape.splice({});
  shape.move({ go: ['nobody', 'ann'] });
  asked.push(shape.plan()?.['needsQuery']);
  await shape.splice({ query: { xmax: 100, rows } });

  expect({ asked, told: await shape.told() }).toEqual({
    asked: [true, false, true],
    told: [
      'delete 2', 'update 3', 'snapshot-end',
      'moved insert 1', 'moved insert 2', 'update 3', 'update 4', 'moved insert 5', 'snapshot-end',
    ],
  });
});

test('where rows are told anyway, NULL that comes is their deletes', async () => {
  const shape = await shapeOwnedBy(['ann'], 'deletes', NOT_OWNED_OR_NEWS);
  shape.move({ come: ['nobody'] });
  await shape.splice({ query: { xmax: 100, rows: [['2', 'title', 'ben'], ['3', 'news', 'ben'], ['4', 'news', 'ann']] } });

  expect(await shape.told()).toEqual(['delete 2, the last by 1']);
});

test('where no event is told, the last row of a splice is marked, and none where no row moved', async () => {
  const shape = await shapeOwnedBy(['ann'], 'deletes');
  shape.move({ come: ['ben'] });
  shape.move({ come: ['cleo'] });
  await shape.splice({ query: { xmax: 100, rows: [['2', 'title', 'ben'], ['3', 'title', 'cleo'], ['4', 'title', 'ben']] } });
  shape.move({ come: ['dan'] });
  await shape.splice({ query: { xmax: 100, rows: [] } });

  expect(await shape.told()).toEqual(['insert 2', 'insert 3', 'insert 4, the last by 1,2']);
});
