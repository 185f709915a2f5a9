/** Blocks of the log in memory: shared by those who load the same, held while the calls that asked for them are open. */
import { expect, test } from 'vitest';
import { Fork } from '../../../src/base/fork.ts';
import type { LogPosition, LogRange } from '../../../src/model/log-position.ts';
import type { LogBlock } from '../../../src/model/transaction.ts';
import type { Table } from '../../../src/otp/process.ts';
import { LogBlocks, type BlockSlot } from '../../../src/storage/log/log-blocks.ts';
import { logReaderPort } from '../../../src/storage/log/log-reader-port.ts';
import { memoryStorage } from '../../../src/storage/memory-storage.ts';
import { World } from '../../support/otp/world.ts';
import { grow, lsn, upTo, xid } from '../../support/storage/stored-samples.ts';

const at = (position: number): LogPosition => position as LogPosition;
const range = (after: number, through: number): LogRange => ({ after: at(after), through: at(through) });
const open = (): AbortSignal => new AbortController().signal;
const QUIET = 'a block behind 0 is taken once it was loaded';

const TRANSACTION = { xid: xid(1), lsn: lsn(1), end: at(99), isUnfinished: false, fragments: [] };

/** A log with a transaction that ends at every tenth position; counts how often it is read. */
class CountedLog {
  reads = 0;

  /** Of what is in memory there is nothing. */
  readKept(): undefined {}

  async read({ after, through }: LogRange): Promise<LogBlock> {
    this.reads += 1;
    const ends = Array.from({ length: 10 }, (_, index) => 10 * (index + 1)).filter((end) => end > after && end <= through);
    return {
      after,
      through,
      transactions: ends.map((end) => ({ xid: xid(end), lsn: lsn(end), end: at(end), isUnfinished: false, fragments: [] })),
    };
  }
}

test('loads of the same range that overlap share one block and one read', async () => {
  const log = new CountedLog();
  const blocks = new LogBlocks(log);
  const slots = ['a', 'b', 'c'].map((owner) => blocks.slot(owner));
  await Promise.all([blocks.load('a', range(0, 20), upTo(100), open()), blocks.load('b', range(0, 20), upTo(100), open())]);
  await blocks.load('c', range(0, 20), upTo(100), open());
  const { count } = blocks;
  const [first, second, third] = slots.map((slot) => slot.take(range(0, 20)));

  expect({ shared: first === second && second === third, reads: log.reads, count }).toEqual({ shared: true, reads: 1, count: 3 });
});

test('loads of the same range that overlap are read apart when one of them may be larger', async () => {
  const log = new CountedLog();
  const blocks = new LogBlocks(log);
  for (const owner of ['a', 'b']) blocks.slot(owner);
  await Promise.all([blocks.load('a', range(0, 20), upTo(100), open()), blocks.load('b', range(0, 20), upTo(200), open())]);

  expect(log.reads).toBe(2);
});

test('what was read for followers of one table is shared by those, and not by followers of another', async () => {
  const log = new CountedLog();
  const blocks = new LogBlocks(log);
  const table = (oid: number) => ({ oid, schema: 'public', name: `t${oid}` });
  blocks.slot('a', table(1));
  blocks.slot('b', { ...table(1) });
  blocks.slot('c', table(2));
  blocks.slot('d');
  await Promise.all(['a', 'c', 'd'].map((owner) => blocks.load(owner, range(0, 20), upTo(100), open())));
  const { reads } = log;
  await blocks.load('b', range(0, 20), upTo(100), open());

  expect({ reads, after: log.reads }).toEqual({ reads: 3, after: 3 });
});

test('a block is there for its owner until it is taken, once', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const [mine, other] = [blocks.slot('mine'), blocks.slot('other')];
  await blocks.load('mine', range(0, 20), upTo(100), open());
  const found = [other, mine, mine].map((slot) => attempt(() => slot.take(range(0, 20)).through));

  expect({ found, count: blocks.count }).toEqual({ found: [QUIET, 20, QUIET], count: 0 });
});

test('a copy of a slot holds what the slot holds, and neither takes it from the other', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const slot = blocks.slot('owner');
  await blocks.load('owner', range(0, 20), upTo(100), open());
  const [first, second] = [slot.clone(new Fork()), slot.clone(new Fork())];
  first.close();
  const copied = [first, second, second].map((copy) => attempt(() => copy.take(range(0, 20)).through));

  expect({ copied, count: blocks.count, own: slot.take(range(0, 20)).through }).toEqual({ copied: [QUIET, 20, QUIET], count: 1, own: 20 });
});

test('who asks for another block lets go of the one that was not taken', async () => {
  const blocks = new LogBlocks(new CountedLog(), 1);
  const slot = blocks.slot('owner');
  await blocks.load('owner', range(0, 20), upTo(100), open());
  const second = blocks.load('owner', range(20, 40), upTo(100), open());
  slot.take(range(0, 20));
  await second;

  expect([attempt(() => slot.take(range(0, 20))), attempt(() => slot.take(range(20, 40)).through)]).toEqual([QUIET, 40]);
});

test('a reader never gets a block that reaches past its range', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const [far, near] = [blocks.slot('far'), blocks.slot('near')];
  await blocks.load('far', range(0, 50), upTo(100), open());
  await blocks.load('near', range(0, 20), upTo(100), open());

  expect([far.take(range(0, 50)), near.take(range(0, 20))].map(({ through }) => through)).toEqual([50, 20]);
});

test('a load that nobody waits for any more holds nothing', async () => {
  const blocks = new LogBlocks(new CountedLog());
  const slot = blocks.slot('owner');
  const caller = new AbortController();
  const loading = blocks.load('owner', range(0, 20), upTo(100), caller.signal).catch((error: Error) => error.name);
  caller.abort();

  expect({ loading: await loading, held: attempt(() => slot.take(range(0, 20))) }).toEqual({ loading: 'AbortError', held: QUIET });
});

test('an owner that ends leaves nothing, and gives its place to who waits', async () => {
  const blocks = new LogBlocks(new CountedLog(), 1);
  const [ended, waiting] = [blocks.slot('ended'), blocks.slot('waiting')];
  await blocks.load('ended', range(0, 20), upTo(100), open());
  const next = blocks.load('waiting', range(20, 40), upTo(100), open());
  ended.close();
  await next;

  expect({ count: blocks.count, taken: waiting.take(range(20, 40)).through }).toEqual({ count: 1, taken: 40 });
});

test('what more is asked for than may be under way waits its turn, unless its caller leaves', async () => {
  const blocks = new LogBlocks(new CountedLog(), 2);
  const calls = Array.from({ length: 5 }, () => new AbortController());
  const ends: string[] = [];
  const slots = calls.map((_, index) => blocks.slot(String(index)));
  const loads = calls.map(async ({ signal }, index) => {
    await blocks.load(String(index), range(10 * index, 10 * index + 10), upTo(100), signal).then(
      () => ends.push(`${index} loaded`),
      () => ends.push(`${index} left`),
    );
  });
  await Promise.all(loads.slice(0, 2));
  const { count } = blocks;
  calls[2]?.abort();
  slots[0]?.take(range(0, 10));
  await loads[3];
  slots[1]?.take(range(10, 20));
  await loads[4];

  expect({ count, ends, later: blocks.count }).toEqual({
    count: 2,
    ends: ['0 loaded', '1 loaded', '2 left', '3 loaded', '4 loaded'],
    later: 2,
  });
});

test('who leaves in its turn takes no turn from another', async () => {
  const blocks = new LogBlocks(new CountedLog(), 1);
  const [first] = ['first', 'second', 'third'].map((owner) => blocks.slot(owner));
  await blocks.load('first', range(0, 10), upTo(100), open());
  const caller = new AbortController();
  const ends: string[] = [];
  const note = (end: string) => () => void ends.push(end);
  void blocks.load('second', range(10, 20), upTo(100), caller.signal).then(note('second loaded'), note('second left'));
  void blocks.load('third', range(20, 30), upTo(100), open()).then(note('third loaded'), note('third left'));
  first?.take(range(0, 10));
  caller.abort();
  for (let turn = 0; turn < 100; turn += 1) await Promise.resolve();

  expect(ends).toEqual(['second left', 'third loaded']);
});

test('a reader that may go further does not get the empty block of one that may not', async () => {
  const blocks = new LogBlocks(new CountedLog());
  for (const owner of ['near', 'far']) blocks.slot(owner);
  await blocks.load('near', range(0, 5), upTo(100), open());

  expect(await blocks.load('far', range(0, 20), upTo(100), open())).toEqual({ after: 0, through: 20, isPart: false });
});

test('a log that cannot be read holds nothing up', async () => {
  const unreadable = { readKept: () => undefined, read: () => Promise.reject(new Error('broken')) };
  const blocks = new LogBlocks(unreadable, 1);
  blocks.slot('owner');
  const loads = await Promise.allSettled([0, 10, 20].map((after) => blocks.load('owner', range(after, 30), upTo(100), open())));

  expect({ loads: loads.map(({ status }) => status), count: blocks.count }).toEqual({ loads: Array(3).fill('rejected'), count: 0 });
});

test('what its owner does not want any more is let go, and makes room for others', async () => {
  const blocks = new LogBlocks(new CountedLog(), 1);
  for (const owner of ['a', 'b']) blocks.slot(owner);
  await blocks.load('a', range(0, 10), upTo(100), open());
  blocks.forget('a');
  const loaded = await blocks.load('b', range(10, 20), upTo(100), open());

  expect({ loaded, count: blocks.count }).toEqual({ loaded: { ...range(10, 20), isPart: false }, count: 1 });
});

test('who has taken a part keeps its turn until it asks for the next one, or ends', async () => {
  const parts = {
    readKept: () => undefined,
    read: async (asked: LogRange) => ({ ...asked, transactions: [{ ...TRANSACTION, isUnfinished: true }] }),
  };
  const blocks = new LogBlocks(parts, 1);
  const [first, second] = ['a', 'b', 'c'].map((owner) => blocks.slot(owner));
  const ends: string[] = [];
  await blocks.load('a', range(0, 10), upTo(100), open());
  first?.take(range(0, 10));
  const loads = ['b', 'c'].map((owner, index) => blocks.load(owner, range(10 * index, 90), upTo(100), open()).then(() => ends.push(owner)));
  await Promise.resolve();
  const waiting = [...ends];
  const again = blocks.load('a', range(10, 20), upTo(100), open()).then(() => ends.push('a'));
  await loads[0];
  second?.take(range(0, 90));
  second?.close();
  await loads[1];
  blocks.forget('c');
  await again;

  expect({ waiting, ends }).toEqual({ waiting: [], ends: ['b', 'c', 'a'] });
});

const KILLS = 1_100;

test(`a process that is killed between the answer and its delivery leaves nothing behind, ${KILLS} times`, async () => {
  const log = memoryStorage().log;
  const through = await grow({ log }, 10);
  const blocks = new LogBlocks(log);
  const world = new World();
  await world.start(logReaderPort(log, blocks, blocks), 'log-reader');
  const held: number[] = [];
  for (let kill = 0; kill < KILLS; kill += 1) {
    const asker = await world.puppet(`asker-${kill}`, { tables: (self) => ({ slot: new SlotTable(blocks.slot(self)) }) });
    const request = { type: 'loadBlock', owner: asker, after: 0, through };
    world.tell(asker, { type: 'call', params: { to: '@log-reader', request, as: 'seen.reader' } });
    while (blocks.count === 0) await Promise.resolve(); // The answer is on its way now.
    world.exit(asker, 'kill');
    held.push(blocks.count);
  }

  expect(new Set(held)).toEqual(new Set([0]));
});

/** A table that has a slot and does nothing else. */
class SlotTable implements Table {
  constructor(private readonly slot: BlockSlot) {}

  apply(): undefined {}

  clone(): SlotTable {
    return this;
  }

  key(): string {
    return '';
  }

  close(): void {
    this.slot.close();
  }
}

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error instanceof Error ? error.message : error;
  }
}

test('what is in memory is there at once, in its turn alone, and in place of what its owner had', async () => {
  const storage = memoryStorage();
  await grow(storage, 1);
  const { log } = storage;
  const blocks = new LogBlocks(log, 2);
  const [first, second] = ['first', 'second', 'third'].map((owner) => blocks.slot(owner));
  const whole = range(0, log.durableEnd);
  const loaded = ['first', 'second', 'third'].map((owner) => blocks.loadKept(owner, whole, upTo(100)));
  const taken = first?.take(whole);
  const again = ['third', 'third', 'first'].map((owner) => blocks.loadKept(owner, whole, upTo(100))?.through);

  expect({ loaded, again, count: blocks.count, isShared: taken === second?.take(whole) }).toEqual({
    loaded: [whole, whole, undefined],
    again: [log.durableEnd, undefined, undefined],
    count: 2,
    isShared: true,
  });
});

test('what is not in memory is not there at once, and changes nothing', () => {
  const blocks = new LogBlocks(new CountedLog(), 1);
  blocks.slot('owner');
  const loaded = blocks.loadKept('owner', range(0, 20), upTo(100));

  expect({ loaded, count: blocks.count }).toEqual({ loaded: undefined, count: 0 });
});
