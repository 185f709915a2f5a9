/** Who has begun to read a log that ends meanwhile. */
import { expect, test } from 'vitest';
import type { EntryRun } from '../../../src/model/log-entry.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { countedRuns, OpenReads } from '../../../src/storage/shapes/open-reads.ts';

const run: EntryRun = { kind: 'row', bytes: Buffer.from('1'), goesOn: false };

async function* runs(): AsyncGenerator<EntryRun> {
  yield run;
  yield run;
}

const three = (of: () => OpenReads) => [countedRuns(of, runs()), countedRuns(of, runs()), countedRuns(of, runs())] as const;

test('none begins when the log has ended, those that have begun come to their end, and the last one tells of it', async () => {
  const reads = new OpenReads('1-1' as Handle);
  const told: string[] = [];
  const [first, second, late] = three(() => reads);
  await Promise.all([first.next(), second.next()]);
  reads.end();
  reads.whenLeft(() => void told.push('left'));
  await first.return(undefined);
  const isTold = told.length > 0;
  const rest = [await second.next(), await second.next()].map(({ done }) => done);

  await expect(late.next()).rejects.toMatchObject({ name: 'ShapeGoneError', handle: '1-1' });
  expect({ isTold, rest, told, areCut: reads.areCut }).toEqual({ isTold: false, rest: [false, true], told: ['left'], areCut: false });
});

test('of a log that nobody reads, and of one whose readers are cut, it is told at once, and once', async () => {
  const told: string[] = [];
  const [unread, read] = [new OpenReads('1-1' as Handle), new OpenReads('2-2' as Handle)];
  const reader = countedRuns(() => read, runs());
  await reader.next();
  unread.whenLeft(() => void told.push('unread'));
  read.whenLeft(() => void told.push('cut'));
  read.cut();
  await reader.return(undefined);

  expect({ told, areCut: read.areCut }).toEqual({ told: ['unread', 'cut'], areCut: true });
});

test('of a log whose readers were cut before it is told at once, though they have yet to break off', async () => {
  const told: string[] = [];
  const reads = new OpenReads('1-1' as Handle);
  const reader = countedRuns(() => reads, runs());
  await reader.next();
  reads.cut();
  reads.whenLeft(() => void told.push('left'));
  const atOnce = [...told];
  await reader.return(undefined);

  expect({ atOnce, told }).toEqual({ atOnce: ['left'], told: ['left'] });
});

test('whoever begins behind others that have all come to their end is counted as they were', async () => {
  const made: OpenReads[] = [];
  let current: OpenReads | undefined;
  const of = (): OpenReads => {
    if (current !== undefined) return current;
    current = new OpenReads('1-1' as Handle, () => (current = undefined));
    made.push(current);
    return current;
  };
  const [first, second, third] = three(of);
  for await (const _ of first); // Another is asked for meanwhile, and has not begun.
  const isUnused = current === undefined;
  await second.next();
  of().end();
  const told: string[] = [];
  of().whenLeft(() => void told.push('left'));
  const isReading = told.length === 0;
  await second.return(undefined);

  await expect(third.next()).rejects.toMatchObject({ name: 'ShapeGoneError' });
  expect({ isUnused, isReading, told, made: made.length }).toEqual({ isUnused: true, isReading: true, told: ['left'], made: 2 });
});
