/** Blocks of the log in memory: shared by those who load the same, held until the last one lets go. */
import { expect, test } from 'vitest';
import type { LogPosition, LogRange } from '../../src/model/log-position.ts';
import type { LogBlock } from '../../src/model/transaction.ts';
import { LogBlocks } from '../../src/storage/log-blocks.ts';
import { lsn, xid } from './fixtures.ts';

const at = (position: number): LogPosition => position as LogPosition;
const range = (after: number, through: number): LogRange => ({ after: at(after), through: at(through) });
const alive = new AbortController().signal;

/** A log with a transaction that ends at every tenth position; counts how often it is read. */
class CountedLog {
  reads = 0;

  async read({ after, through }: LogRange): Promise<LogBlock> {
    this.reads += 1;
    const ends = Array.from({ length: 10 }, (_, index) => 10 * (index + 1)).filter((end) => end > after && end <= through);
    return { after, through, transactions: ends.map((end) => ({ xid: xid(end), lsn: lsn(end), end: at(end), fragments: [] })) };
  }
}

test('loads of the same range that overlap share one block and one read', async () => {
  const log = new CountedLog();
  const blocks = new LogBlocks(log);
  const [first, second] = await Promise.all([blocks.load(range(0, 20), 100, alive), blocks.load(range(0, 20), 100, alive)]);
  const third = await blocks.load(range(0, 20), 100, alive);

  expect({ shared: first === second && second === third, reads: log.reads }).toEqual({ shared: true, reads: 1 });
});

test('a block is there until it was released as often as it was loaded', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const block = await blocks.load(range(0, 20), 100, alive);
  await blocks.load(range(0, 20), 100, alive);
  blocks.release(at(0));
  const still = blocks.get(at(0)) === block;
  blocks.release(at(0));

  expect({ still, then: attempt(() => blocks.get(at(0))) }).toEqual({ still: true, then: 'a block behind 0 is pinned' });
});

test('a reader never gets a block that reaches past its range', async () => {
  const blocks = new LogBlocks(new CountedLog());
  await blocks.load(range(0, 50), 100, alive);
  const bounded = await blocks.load(range(0, 20), 100, alive);

  expect({
    through: bounded.through,
    ambiguous: attempt(() => blocks.get(at(0))),
    named: [blocks.get(at(0), at(50)).through, blocks.get(at(0), at(20)).through],
  }).toEqual({ through: 20, ambiguous: 'one block behind 0 is meant', named: [50, 20] });
});

test('a load that nobody waits for any more pins nothing', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const caller = new AbortController();
  const loading = blocks.load(range(0, 20), 100, caller.signal).catch((error: Error) => error.name);
  caller.abort();

  expect({ loading: await loading, pinned: attempt(() => blocks.get(at(0))) }).toEqual({
    loading: 'AbortError',
    pinned: 'a block behind 0 is pinned',
  });
});

test('a forgotten release is found before it fills the memory', async () => {
  const blocks = new LogBlocks(new CountedLog(), 2);
  await blocks.load(range(0, 10), 100, alive);
  await blocks.load(range(10, 20), 100, alive);

  await expect(blocks.load(range(20, 30), 100, alive)).rejects.toThrow('at most 2 blocks are pinned');
});

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}
