/** Blocks of the log in memory: shared by those who load the same, held while the calls that asked for them are open. */
import { expect, test } from 'vitest';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import { LogBlocks } from '../../../src/storage/log/log-blocks.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import type { Told } from '../../support/otp/puppet.ts';
import { World } from '../../support/otp/world.ts';
import { grow, lsn, xid } from '../../support/stored-samples.ts';

const at = (position: number): LogPosition => position as LogPosition;
const range = (after: number, through: number): LogRange => ({ after: at(after), through: at(through) });
const open = (): AbortSignal => new AbortController().signal;
const QUIET = 'a block behind 0 is taken while the answer that brought it is handled';

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
  const [first, second] = await Promise.all([blocks.load(range(0, 20), 100, open()), blocks.load(range(0, 20), 100, open())]);
  const third = await blocks.load(range(0, 20), 100, open());

  expect({ shared: first === second && second === third, reads: log.reads, count: blocks.count }).toEqual({ shared: true, reads: 1, count: 1 });
});

test('a block is there until the turn has ended in which the last of its calls did', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const calls = [new AbortController(), new AbortController()];
  for (const { signal } of calls) await blocks.load(range(0, 20), 100, signal);
  const found: unknown[] = [];
  for (const call of calls) {
    call.abort();
    found.push(attempt(() => blocks.get(range(0, 20)).through));
    await Promise.resolve();
    found.push(attempt(() => blocks.get(range(0, 20)).through));
  }

  expect({ found, count: blocks.count }).toEqual({ found: [20, 20, 20, QUIET], count: 0 });
});

test('a reader never gets a block that reaches past its range', async () => {
  const blocks = new LogBlocks(new CountedLog());
  await blocks.load(range(0, 50), 100, open());
  await blocks.load(range(0, 20), 100, open());

  expect([range(0, 50), range(0, 20)].map((one) => blocks.get(one).through)).toEqual([50, 20]);
});

test('a load that nobody waits for any more holds nothing', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const caller = new AbortController();
  const loading = blocks.load(range(0, 20), 100, caller.signal).catch((error: Error) => error.name);
  caller.abort();

  expect({ loading: await loading, held: attempt(() => blocks.get(range(0, 20))) }).toEqual({ loading: 'AbortError', held: QUIET });
});

test('what more is asked for than may be under way waits its turn, unless its caller leaves', async () => {
  const blocks = new LogBlocks(new CountedLog(), 2);
  const calls = Array.from({ length: 5 }, () => new AbortController());
  const ends: string[] = [];
  const loads = calls.map(async ({ signal }, index) => {
    await blocks.load(range(10 * index, 10 * index + 10), 100, signal).then(
      () => ends.push(`${index} loaded`),
      () => ends.push(`${index} left`),
    );
  });
  await Promise.all(loads.slice(0, 2));
  const { count } = blocks;
  calls[2]?.abort();
  calls[0]?.abort();
  await loads[3];
  calls[1]?.abort();
  await loads[4];

  expect({ count, ends, later: blocks.count }).toEqual({
    count: 2,
    ends: ['0 loaded', '1 loaded', '2 left', '3 loaded', '4 loaded'],
    later: 2,
  });
});

test('a log that cannot be read holds nothing up', async () => {
  const unreadable = { read: () => Promise.reject(new Error('broken')) };
  const blocks = new LogBlocks(unreadable, 1);
  const loads = await Promise.allSettled([0, 10, 20].map((after) => blocks.load(range(after, 30), 100, open())));

  expect({ loads: loads.map(({ status }) => status), count: blocks.count }).toEqual({ loads: Array(3).fill('rejected'), count: 0 });
});

const KILLS = 1_100;

test(`a process that is killed between the answer and its delivery leaves nothing behind, ${KILLS} times`, async () => {
  const log = memoryStorage().log;
  const through = await grow({ log }, 10);
  const blocks = new LogBlocks(log);
  const world = new World();
  await world.start(logReaderPort(log, blocks), 'log-reader');
  const loadBlock: Told = { type: 'call', params: { to: '@log-reader', request: { type: 'loadBlock', after: 0, through }, as: 'seen.reader' } };
  const held: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const asker = await world.puppet(`asker-${kill}`);
    world.tell(asker, loadBlock);
    while (blocks.count === 0) await Promise.resolve(); // The answer is on its way now.
    world.exit(asker, 'kill');
    await Promise.resolve();
    held.push(blocks.count);
  }

  expect(new Set(held)).toEqual(new Set([0]));
});

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}
