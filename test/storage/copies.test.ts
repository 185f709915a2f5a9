/** A storage in memory can be copied, whatever it has been through; one on a disk refuses. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Fork } from '../../src/base/fork.ts';
import { BEFORE_ALL, SNAPSHOT_END, type LogOffset } from '../../src/model/log-offset.ts';
import { LOG_START } from '../../src/model/log-position.ts';
import { memoryStorage } from '../../src/storage/memory-storage.ts';
import type { ShapeLog } from '../../src/storage/shapes/shape-logs.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { handleOf, itemsLayout, shapeOf } from '../support/shapes.ts';
import {
  anotherSource, appendTransaction, bodyOf, bytes, lsn, pgSnapshot, readAll, readInBlocks, recordsOf, snapshotOf, xid,
} from '../support/storage/stored-samples.ts';
import { engines } from './engines.ts';

type Step = (storage: Storage) => unknown;
type ShapeStep = (shape: ShapeLog, storage: Storage) => unknown;

/** The second depends on the first. */
const innerOf = { [handleOf(1)]: [], [handleOf(2)]: [handleOf(1)] };

async function splice(shape: ShapeLog, view: LogOffset, isQueried: boolean): Promise<unknown> {
  const writer = shape.beginMoved();
  if (isQueried) await writer.write(bytes(`rows of ${view}\n`));
  const { position, end } = shape;
  const asked = { pgSnapshot: isQueried ? { ...pgSnapshot, xmax: '99' } : null, rows: await writer.complete() };
  return shape.recordSplice({ place: position, through: position, views: [view], first: end, ...asked });
}

const handle = fc.constantFrom(1, 2).map(handleOf);
const line = fc.constantFrom('"a"', '"a longer line"').map(bytes);
const commit = fc.integer({ min: 89, max: 99 });
const view = fc.constantFrom('7_0', '9_0').map((text) => text as LogOffset);

const ofLog: fc.Arbitrary<Step> = fc.oneof<fc.Arbitrary<Step>[]>(
  fc.tuple(commit, fc.constantFrom('small', 'large '.repeat(20))).map(([at, change]) => ({ log }) => appendTransaction(log, at, [change])),
  commit.map((at) => ({ log }) => log.appendChanges(xid(at), bytes('half'))),
  fc.constantFrom<Step>(
    ({ log }) => log.sync(),
    ({ log }) => log.sync(),
    ({ log }) => log.abandon(),
    ({ log }) => log.restart(anotherSource, lsn(3)),
    ({ log, shapes }) => log.release(shapes.releasable),
    ({ log, shapes }) => shapes.advance(log.durableEnd),
    ({ shapes }) => shapes.checkpoint(),
  ),
  fc.nat(9).map((at) => ({ log }) => log.appendHeld(lsn(at))),
  fc.constantFrom('items', 'lists').map((name) => ({ log }) => log.appendLayout({ ...itemsLayout, name })),
);

const ofShape: fc.Arbitrary<ShapeStep> = fc.oneof<fc.Arbitrary<ShapeStep>[]>(
  fc.tuple(commit, fc.nat(2), line).map(([at, place, one]) => (shape) => shape.append(lsn(at), place, one)),
  fc.constantFrom('behind' as const, undefined).map((pace) => (shape, { shapes }) => shape.publish(shapes.position, pace)),
  fc.nat(9).map((at) => (shape) => shape.leavePace(lsn(at))),
  fc.nat(9).map((at) => (shape) => shape.discard(lsn(at))),
  fc.nat(9).map((at) => (shape) => shape.leaveBehind(lsn(at))),
  fc.constantFrom(['"row"'], ['"another row"', '"row"']).map((rows) => (shape) => snapshotOf(shape, rows)),
  view.map((at) => (shape) => shape.beginViews([at])),
  fc.tuple(view, fc.boolean()).map(([at, isQueried]) => (shape) => splice(shape, at, isQueried)),
  fc.constantFrom<ShapeStep>(
    (shape) => shape.takeSplice(),
    (shape) => shape.noteRequest(),
    (shape) => shape.stopFiltering(),
    (shape) => shape.bringAgain(),
    (shape) => shape.beginSnapshot(pgSnapshot).write([bytes('"row"')]),
    (shape, { shapes }) => shapes.delete(shape.handle, 'a test'),
  ),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  ofLog,
  fc.tuple(handle, fc.boolean()).map(([made, isInner]): Step => ({ shapes }) => {
    return shapes.create(made, shapeOf({}), innerOf[made], isInner).end;
  }),
  fc.tuple(handle, ofShape).map(([of, each]): Step => (storage) => {
    const shape = storage.shapes.get(of);
    return shape && each(shape, storage);
  }),
);
const steps = fc.array(step, { maxLength: 15 });

/** @returns what came of each, a broken claim included, and what can be seen then. */
async function run(storage: Storage, taken: readonly Step[]): Promise<unknown[]> {
  const told: unknown[] = [];
  for (const each of taken) told.push([await outcome(() => each(storage)), await look(storage)]);
  return told;
}

async function outcome(act: () => unknown): Promise<unknown> {
  try {
    return await act();
  } catch (error) {
    return String(error);
  }
}

async function look({ log, shapes }: Storage): Promise<unknown> {
  const { durableEnd, lastCommitLsn, source, durableLsn, heldLsn } = log;
  const { position, releasable, unsavedBytes } = shapes;
  return {
    durableEnd, lastCommitLsn, source, durableLsn, heldLsn, position, releasable, unsavedBytes,
    layouts: [1, 2].map((id) => log.layoutOf(id)),
    transactions: await readInBlocks(log, LOG_START, 1),
    records: await recordsOf(log),
    unseen: log.firstUnseen(pgSnapshot),
    shapes: await Promise.all(Array.from(shapes.all(), lookAt)),
  };
}

/** Of a snapshot that is being written a reader would wait for more. */
async function lookAt(shape: ShapeLog): Promise<unknown> {
  const { handle: of, end, position, waitsAt, isBrought, snapshot, filterBy } = shape;
  const { isInner, views, storedViews, placedBehind, nextSplice, shownThrough } = shape;
  const froms = snapshot.state === 'writing' ? [SNAPSHOT_END] : [BEFORE_ALL, SNAPSHOT_END];
  const reads = await Promise.all(froms.map((from) => outcome(() => bodyOf(shape.read(from)))));
  const moved = await outcome(() => shape.readMoved(0));
  const splices = { views, storedViews, placedBehind, nextSplice, shownThrough, moved };
  return { of, end, position, waitsAt, isBrought, snapshot, filterBy, isInner, splices, reads };
}

function begin(): Storage {
  return memoryStorage({ clock: new ManualClock(), chunkBytesMax: 20, tailBytesMax: 300 });
}

test('a copy of a storage is like its original, and goes the same way', async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, async (before, behind) => {
      const original = begin();
      await run(original, before);
      const copy = original.clone(new Fork());

      expect([await look(copy), await run(copy, behind)]).toEqual([await look(original), await run(original, behind)]);
    }),
  );
});

test('what is done to a copy of a storage or to its original, its end included, never shows in the other', async () => {
  await fc.assert(
    fc.asyncProperty(steps, steps, steps, fc.boolean(), async (before, elsewhere, behind, isCopyKept) => {
      const original = begin();
      await run(original, before);
      const [copy, untouched] = [original.clone(new Fork()), original.clone(new Fork())];
      const [kept, other] = isCopyKept ? [copy, original] : [original, copy];
      await run(other, elsewhere);
      await other.close();

      expect([await look(kept), await run(kept, behind)]).toEqual([await look(untouched), await run(untouched, behind)]);
    }),
  );
});

test('a copy goes on in the middle of a splice, of a snapshot and of a wait', () => {
  const original = begin();
  const [inner, outer] = [1, 2].map((index) => original.shapes.create(handleOf(index), shapeOf({}), innerOf[handleOf(index)]));
  const views = ['7_0', '9_0'] as LogOffset[];
  const [first, second] = views.map((each) => [each]);
  const draft = { place: LOG_START, through: LOG_START, pgSnapshot: null, first: SNAPSHOT_END, rows: null };
  const steps: readonly (() => unknown)[] = [
    () => outer?.beginViews(first ?? []),
    () => outer?.beginSnapshot(pgSnapshot),
    () => outer?.recordSplice({ ...draft, views: second ?? [] }),
    () => outer?.publish(LOG_START),
    () => inner?.discard(lsn(50)),
    () => inner?.publish(LOG_START),
    () => outer?.discard(lsn(60)),
    () => outer?.takeSplice(),
  ];
  const lookAtOuter = ({ shapes }: Storage) => {
    const found = shapes.get(handleOf(2));
    return { views: found?.views, stored: found?.storedViews, next: found?.nextSplice?.number, waitsAt: found?.waitsAt };
  };
  const copies = steps.map((each) => {
    each();
    return { copy: original.clone(new Fork()), there: lookAtOuter(original) };
  });
  const before = copies.map(({ copy }) => lookAtOuter(copy));
  const last = copies.at(-1)?.copy;
  last?.shapes.get(handleOf(2))?.publish(LOG_START);

  const along = { views: second, stored: first, next: undefined, waitsAt: undefined };
  expect(before).toEqual(copies.map(({ there }) => there));
  expect([before.at(-1), last && lookAtOuter(last)]).toEqual([{ ...along, waitsAt: '50' }, along]);
});

test('the parts of a storage that one fork copies are one storage', () => {
  const original = begin();
  const fork = new Fork();
  const [storage, shapes, log] = [original.clone(fork), original.shapes.clone(fork), original.clone(fork).log];
  shapes.create(handleOf(1), shapeOf({}));

  expect({ isOneLog: log === storage.log, found: [storage, original].map((each) => each.shapes.get(handleOf(1))?.handle) }).toEqual({
    isOneLog: true,
    found: [handleOf(1), undefined],
  });
});

test('a transaction that is open when a log is copied goes on in each for itself', async () => {
  const original = begin();
  original.log.appendChanges(xid(90), bytes('in both'));
  const copy = original.clone(new Fork());
  original.log.appendChanges(xid(90), bytes('in one'));
  for (const { log } of [original, copy]) log.appendCommit(xid(90), lsn(90));
  for (const { log } of [original, copy]) await log.sync();

  const found = await Promise.all([original, copy].map(({ log }) => readAll(log, LOG_START)));
  expect(found.map((transactions) => transactions.map(({ fragments }) => fragments))).toEqual([[['in both', 'in one']], [['in both']]]);
});

test.each(engines.filter(({ name }) => name !== 'memory'))('a storage on a disk cannot be copied: $name', async ({ open }) => {
  const storage = await open();

  expect(() => storage.clone(new Fork())).toThrow('a storage on a disk cannot be copied');
  await storage.close();
});
