/** A splice of more than one line, or one step, may hold. */
import { expect, test } from 'vitest';
import { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import { VersionedMembers } from '../../../src/actors/versioned-members.ts';
import { isInMemory } from '../../../src/api/shape-response.ts';
import { Fork } from '../../../src/base/fork.ts';
import { SNAPSHOT_END, type LogOffset } from '../../../src/model/log-offset.ts';
import { LOG_START } from '../../../src/model/log-position.ts';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import type { Xid } from '../../../src/model/pg-snapshot.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import type { Pid } from '../../../src/otp/process.ts';
import { ChangeConverter } from '../../../src/shapes/change-converter.ts';
import { EVENT_PATTERNS_MAX } from '../../../src/shapes/move-event.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { MovedRows } from '../../../src/storage/shapes/moved-rows.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { toldMoves } from '../../support/actors/told-moves.ts';
import { handleOf, itemsLayout, shapeOf } from '../../support/shapes.ts';
import { isIn, subqueryFilter } from '../../support/shapes/subquery-filter.ts';
import { snapshotOf } from '../../support/storage/stored-samples.ts';

const [OWNER, MATERIALIZER, MOVED] = ['consumer#2' as Pid, 'materializer#1' as Pid, '20_0' as LogOffset];
const pgSnapshot = { xmin: '9', xmax: '9', xip: [], insertLsn: '5' as Lsn };
const FILTER = subqueryFilter(['owner'], [[isIn('owner', 0)]]);

/** A shape with a splice that is recorded, and its lines still to be made. */
async function spliced(values: readonly string[]) {
  const [members, movedRows] = [new VersionedMembers(), new MovedRows()];
  members.begin(SNAPSHOT_END);
  for (const value of values) members.add(value);
  members.commit(MOVED, [7 as Xid]);
  const definition: ShapeDefinition = { ...shapeOf({}), dependencies: [{ shape: shapeOf({}), column: 'id' }] };
  const shapeLog = memoryStorage().shapes.create(handleOf(2), definition);
  const log = logOver(shapeLog, members, movedRows);
  log.apply({ depend: [MATERIALIZER], offsets: [SNAPSHOT_END] });
  await snapshotOf(shapeLog, []);
  log.apply({ record: { place: LOG_START, through: LOG_START, views: [MOVED], pgSnapshot, rows: { bytes: 1, sums: [] } } });
  return { log, movedRows, shapeLog };
}

function logOver(shapeLog: ShapeLog, members: VersionedMembers, movedRows: MovedRows): ConsumerLog {
  return new ConsumerLog({
    shapeLog,
    lines: new ChangeConverter(shapeLog.definition, FILTER, () => itemsLayout, undefined, (text) => text),
    valuesOf: () => members,
    movedRows: movedRows.slot(OWNER),
    loaded: { take: () => ({ after: LOG_START, through: LOG_START, transactions: [] }), close: () => {} },
    delivery: () => undefined,
    layoutOf: () => itemsLayout,
    takenByAll: () => LOG_START,
    processedLsn: () => LSN_ZERO,
    announce: () => {},
    clone(fork) {
      return { ...this, movedRows: this.movedRows.clone(fork) };
    },
  });
}

interface Line {
  readonly key?: string;
  readonly headers: { readonly event?: string; readonly control?: string; readonly patterns?: readonly unknown[] };
}

function linesOf(shapeLog: ShapeLog): readonly Line[] {
  const read = shapeLog.read(SNAPSHOT_END);
  const runs = read.outcome === 'entries' && isInMemory(read.runs) ? read.runs : [];
  return JSON.parse(`[${Buffer.concat(runs.map(({ bytes }) => bytes)).toString().slice(0, -1)}]`) as Line[];
}

test('more moves than one event may name are told in several steps, and what is hidden leaves the memory between them', async () => {
  const values = Array.from({ length: 2 * EVENT_PATTERNS_MAX + 1 }, (_, index) => String(index));
  const { log, shapeLog } = await spliced(values);

  const told = toldMoves(log, 'tellMoveIn');
  for (const change of ['endRows', 'tellMoveOut', 'endSplice', { publish: LOG_START }] as const) log.apply(change);

  const lines = linesOf(shapeLog).map(({ headers: { event, control, patterns } }) => [event ?? control, patterns?.length]);
  expect({ told, lines }).toEqual({
    told: [{ type: 'moves.partlyTold' }, { type: 'moves.partlyTold' }, { type: 'moves.areTold' }],
    lines: [['move-in', EVENT_PATTERNS_MAX], ['move-in', EVENT_PATTERNS_MAX], ['move-in', 1], ['snapshot-end', undefined]],
  });
});

test('a row that is read in many parts is one line, and a copy that is made in its midst is the same', async () => {
  const { log, movedRows, shapeLog } = await spliced(['1']);
  const [rows, parts] = ['{"key":"a","headers":{}}\n{"key":"b","headers":{}}\n', 7];
  const take = (part: number): void => {
    movedRows.put(OWNER, Buffer.from(rows.slice(part * parts, (part + 1) * parts)));
    log.apply('takeMoved');
  };
  const keys: boolean[] = [];
  log.apply('tellMoveIn');
  for (let part = 0; part * parts < rows.length; part += 1) {
    take(part);
    keys.push(log.clone(new Fork()).key() === log.key());
  }
  for (const change of ['endRows', 'endSplice', { publish: LOG_START }] as const) log.apply(change);

  const told = linesOf(shapeLog).flatMap(({ key }) => key ?? []);
  expect({ keys: new Set(keys), told }).toEqual({ keys: new Set([true]), told: ['a', 'b'] });
});
