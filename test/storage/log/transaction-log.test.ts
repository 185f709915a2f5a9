/** What every engine of the transaction log promises. */
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { LOG_START, type LogPosition } from '../../../src/model/log-position.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { memoryLog } from '../../../src/storage/log/memory-log.ts';
import type { Storage } from '../../../src/storage/storage.ts';
import { FRAME_BYTES_MAX } from '../../../src/storage/log/transaction-log.ts';
import { placedTransaction } from '../../support/actors/changes.ts';
import { itemsLayout } from '../../support/shapes.ts';
import { engines } from '../engines.ts';
import {
  anotherSource,
  appendTransaction,
  bytes,
  lsn,
  pgSnapshot,
  readAll,
  readInBlocks,
  recordsOf,
  text,
  transactionsOf,
  upTo,
  xid,
} from '../../support/storage/stored-samples.ts';

const MANY = upTo(Number.MAX_SAFE_INTEGER);
const deleted = (handle: string) => ({ type: 'shape.deleted', handle: handle as Handle, why: 'a test' }) as const;

describe.each(engines)('the transaction log: $name', ({ open }) => {
  let storage: Storage;
  beforeEach(async () => {
    storage = await open();
  });
  afterEach(() => storage.close());

  test('gives whole transactions back, in the order of their commits', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a', 'b']);
    appendTransaction(log, 12, ['c']);
    await log.sync();

    expect(await readAll(log, 0)).toEqual([
      { lsn: '10', xid: 10, fragments: ['a', 'b'] },
      { lsn: '12', xid: 12, fragments: ['c'] },
    ]);
  });

  test('shows nothing before its sync', async () => {
    const { log } = storage;
    const before = log.durableEnd;
    appendTransaction(log, 10, ['a']);
    const unsynced = log.durableEnd;

    expect({ unsynced, synced: (await log.sync()) > before }).toEqual({ unsynced: before, synced: true });
  });

  test('says where its last transaction ends, durable or not, and how much is kept', async () => {
    const { log } = storage;
    const before = { durable: log.durableEnd, bytes: log.retained.bytes };
    appendTransaction(log, 10, ['a']);
    const appended = log.appendedEnd;
    await log.sync();

    const [isAhead, hasGrown] = [appended > before.durable, log.retained.bytes > before.bytes];
    expect({ isAhead, hasGrown, end: log.appendedEnd }).toEqual({ isAhead: true, hasGrown: true, end: appended });
  });

  test('remembers the LSN of a transaction without changes, and logs none', async () => {
    const { log } = storage;
    const before = await log.sync();
    log.appendCommit(xid(7), lsn(70));

    expect({ lsn: log.lastCommitLsn, end: await log.sync() }).toEqual({ lsn: '70', end: before });
  });

  test('tells a commit LSN as durable only once a sync has covered it', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a']);
    const appended = log.durableLsn;
    await log.sync();
    appendTransaction(log, 11, ['b']);

    expect({ appended, synced: log.durableLsn, taken: log.lastCommitLsn }).toEqual({ appended: '0', synced: '10', taken: '11' });
  });

  test('of a stream that was restarted during a sync nothing is durable yet', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a']);
    const syncing = log.sync();
    log.restart(anotherSource, lsn(3));
    await syncing;
    const restarted = { durable: log.durableLsn, held: log.heldLsn };
    appendTransaction(log, 5, ['b']);
    await log.sync();

    const synced = { durable: log.durableLsn, held: log.heldLsn };
    expect({ restarted, synced }).toEqual({ restarted: { durable: '0', held: '0' }, synced: { durable: '5', held: '3' } });
  });

  test('holds its stream only as far as it was told, and only once that is synced', async () => {
    const { log } = storage;
    log.restart(anotherSource, lsn(3));
    await log.sync();
    appendTransaction(log, 10, ['a']);
    log.appendHeld(lsn(12));
    const appended = log.heldLsn;
    await log.sync();
    log.appendHeld(lsn(11));
    await log.sync();

    expect({ source: log.source, appended, synced: log.heldLsn }).toEqual({ source: anotherSource, appended: '3', synced: '12' });
  });

  test('refuses a commit LSN that does not grow', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a']);
    log.appendChanges(xid(11), bytes('b'));

    expect(() => log.appendCommit(xid(11), lsn(10))).toThrow('commit LSNs grow');
  });

  test('forgets the open transaction when it is abandoned', async () => {
    const { log } = storage;
    log.appendChanges(xid(10), bytes('lost'));
    log.abandon();
    appendTransaction(log, 10, ['kept']);
    await log.sync();

    expect(await readAll(log, 0)).toEqual([{ lsn: '10', xid: 10, fragments: ['kept'] }]);
  });

  test('of a transaction that is abandoned in the middle and goes on, the rest is what counts', async () => {
    const { log } = storage;
    log.appendChanges(xid(10), bytes('too much'));
    await log.sync();
    log.abandon();
    appendTransaction(log, 10, ['the rest']);
    await log.sync();

    expect(await readAll(log, 0)).toEqual([{ lsn: '10', xid: 10, fragments: ['the rest'] }]);
  });

  test('hands out no position inside an open transaction', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a']);
    const settled = await log.sync();
    log.appendChanges(xid(11), bytes('b'));
    const open = await log.sync();
    log.appendCommit(xid(11), lsn(11));
    await log.sync();

    expect({ open, rest: await readAll(log, settled) }).toEqual({
      open: settled,
      rest: [{ lsn: '11', xid: 11, fragments: ['b'] }],
    });
  });

  test('keeps a fragment although its caller uses the bytes again', async () => {
    const { log } = storage;
    const reused = Buffer.from('first');
    log.appendChanges(xid(10), reused);
    reused.write('other');
    log.appendCommit(xid(10), lsn(10));
    await log.sync();

    expect(await readAll(log, 0)).toEqual([{ lsn: '10', xid: 10, fragments: ['first'] }]);
  });

  test('takes a fragment of one frame', async () => {
    const { log } = storage;
    log.appendChanges(xid(10), new Uint8Array(FRAME_BYTES_MAX));
    log.appendCommit(xid(10), lsn(10));
    await log.sync();
    const { transactions } = await log.read({ after: 0 as LogPosition, through: log.durableEnd }, MANY);

    expect(transactions.map(({ fragments }) => fragments.map(({ length }) => length))).toEqual([[FRAME_BYTES_MAX]]);
  });

  test('gives back in one piece a fragment that is larger than a frame', async () => {
    const { log } = storage;
    const large = Buffer.alloc(2 * FRAME_BYTES_MAX + 7, 'abc');
    log.appendChanges(xid(10), Buffer.from('before'));
    log.appendChanges(xid(10), large);
    log.appendChanges(xid(10), Buffer.from('after'));
    log.appendCommit(xid(10), lsn(10));
    await log.sync();

    expect(await readAll(log, 0)).toEqual([{ lsn: '10', xid: 10, fragments: ['before', large.toString(), 'after'] }]);
  });

  test('reads in bounded blocks, each going on where the last one ended', async () => {
    const { log } = storage;
    for (const commit of [10, 11, 12]) appendTransaction(log, commit, ['x'.repeat(50)]);
    const through = await log.sync();
    const blocks = [];
    for (let after = 0 as LogPosition; after < through; after = blocks.at(-1)?.through ?? through) {
      blocks.push(await log.read({ after, through }, upTo(60)));
    }

    expect(blocks.map((block) => transactionsOf(block).map(({ lsn: commit }) => commit)).flat()).toEqual(['10', '11', '12']);
  });

  test('gives a transaction that is larger than a block in parts, alone, and any part again', async () => {
    const { log } = storage;
    const values = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(60)}`);
    appendTransaction(log, 10, ['before']);
    appendTransaction(log, 11, values);
    appendTransaction(log, 12, ['behind']);
    const through = await log.sync();
    const blocks = [];
    for (let after = 0 as LogPosition; after < through; after = blocks.at(-1)?.through ?? through) {
      blocks.push(await log.read({ after, through }, upTo(500)));
    }
    const again = await Promise.all(blocks.map(({ after }) => log.read({ after, through }, upTo(500))));

    expect(blocks.map(({ transactions }) => transactions.map(({ lsn: commit, isUnfinished }) => `${commit} ${isUnfinished}`))).toEqual([
      ['10 false'],
      ['11 true'],
      ['11 true'],
      ['11 true'],
      ['11 false'],
      ['12 false'],
    ]);
    expect(blocks.slice(1, 5).flatMap((block) => transactionsOf(block).flatMap(({ fragments }) => fragments))).toEqual(values);
    expect(again).toEqual(blocks);
  });

  test('ends a block of whole transactions once it is filled, and takes apart only what is larger than may come whole', async () => {
    const { log } = storage;
    for (const commit of [10, 11, 12, 13, 14]) appendTransaction(log, commit, ['x'.repeat(200)]);
    const beforeWide = await log.sync();
    appendTransaction(log, 15, Array.from({ length: 30 }, () => 'x'.repeat(60)));
    appendTransaction(log, 16, Array.from({ length: 50 }, () => 'x'.repeat(60)));
    appendTransaction(log, 17, ['behind']);
    const through = await log.sync();
    const sizes = { fillBytes: 500, wholeBytesMax: 2500 };
    const blocks = [];
    for (let after = 0 as LogPosition; after < through; after = blocks.at(-1)?.through ?? through) {
      blocks.push(await log.read({ after, through }, sizes));
    }
    const wide = await log.read({ after: beforeWide, through }, sizes);

    const told = [...blocks, wide].map(({ transactions }) => transactions.map((one) => `${one.lsn}${one.isUnfinished ? ' in part' : ''}`));
    expect(told).toEqual([
      ['10', '11', '12'],
      ['13', '14', '15'],
      ...Array.from({ length: 5 }, () => ['16 in part']),
      ['16'],
      ['17'],
      ['15'],
    ]);
  });

  test('knows of a large transaction what its commit told, once it is durable, and counts none as large that may come whole', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['before']);
    const after = await log.sync();
    log.appendHeld(lsn(11));
    for (let part = 0; part < 30; part += 1) log.appendChanges(xid(11), bytes('x'.repeat(60)));
    log.appendCommit(xid(11), lsn(11), new Set([4, 3]));
    const asked = (through: LogPosition, wholeBytesMax: number) => log.surveyed({ after, through }, wholeBytesMax);
    const unsynced = asked(log.durableEnd, 500);
    const through = await log.sync();
    appendTransaction(log, 12, ['behind']);
    const end = await log.sync();

    const survey = { through, layouts: [4, 3] };
    expect({
      unsynced,
      synced: [asked(through, 500), asked(end, 500)],
      larger: asked(through, 1799),
      whole: asked(through, 1800),
      short: asked(after, 500),
      behind: log.surveyed({ after: through, through: end }, 0),
    }).toEqual({ unsynced: undefined, synced: [survey, survey], larger: survey, whole: undefined, short: undefined, behind: undefined });
  });

  test('looks through a large transaction whose layouts nobody told, and knows them from then on', async () => {
    const { log } = storage;
    const row = { kind: 'insert', new: ['1', 'x'.repeat(600), null], position: 0 } as const;
    const { fragments } = placedTransaction({ xid: 10, lsn: '10' }, [7, 8, 7].map((layoutId) => ({ ...row, layoutId })));
    for (const fragment of fragments) log.appendChanges(xid(10), fragment);
    log.appendCommit(xid(10), lsn(10));
    const end = await log.sync();
    appendTransaction(log, 11, ['behind']);
    const range = { after: 0 as LogPosition, through: await log.sync() };
    const before = log.surveyed(range, 500);
    const survey = await log.survey(range, new AbortController().signal);

    const found = { through: end, layouts: [7, 8] };
    expect({ before, survey, behind: log.surveyed(range, 500) }).toEqual({ before: undefined, survey: found, behind: found });
  });

  test('never ends a part inside a fragment', async () => {
    const { log } = storage;
    const fragments = ['a', 'b'].map((letter) => letter.repeat(FRAME_BYTES_MAX + 7));
    appendTransaction(log, 10, fragments);
    const through = await log.sync();
    const part = await log.read({ after: 0 as LogPosition, through }, upTo(FRAME_BYTES_MAX / 2));

    expect(transactionsOf(part)).toEqual([{ lsn: '10', xid: 10, fragments: fragments.slice(0, 1) }]);
  });

  test('goes on inside more large transactions at the same time than it remembers', async () => {
    const { log } = storage;
    const begins: LogPosition[] = [];
    for (let commit = 1; commit <= 20; commit += 1) {
      begins.push(await log.sync());
      appendTransaction(log, commit, Array.from({ length: 30 }, (_, index) => `${commit} ${index} ${'x'.repeat(60)}`));
    }
    const through = await log.sync();
    let cursors = begins;
    const found = new Map<string, string[]>();
    while (cursors.length > 0) {
      const blocks = await Promise.all(cursors.map((after) => log.read({ after, through }, upTo(500))));
      for (const {
        transactions: [part],
      } of blocks)
        found.set(part?.lsn ?? '', [...(found.get(part?.lsn ?? '') ?? []), ...(part?.fragments ?? []).map(text)]);
      cursors = blocks.filter(({ transactions: [part] }) => part?.isUnfinished).map((block) => block.through);
    }

    expect([...found].map(([commit, fragments]) => [commit, fragments.length, new Set(fragments).size])).toEqual(
      begins.map((_, index) => [String(index + 1), 30, 30]),
    );
  });

  test('gives no part of a large transaction that never committed', async () => {
    const { log } = storage;
    for (let part = 0; part < 30; part += 1) log.appendChanges(xid(10), bytes('x'.repeat(60)));
    log.abandon();
    appendTransaction(log, 11, ['behind']);
    await log.sync();
    for (let part = 0; part < 30; part += 1) log.appendChanges(xid(12), bytes('x'.repeat(60)));
    log.abandon();
    await log.sync();

    expect(await readInBlocks(log, 0 as LogPosition, 500)).toEqual([{ lsn: '11', xid: 11, fragments: ['behind'] }]);
  });

  test('goes on behind a large transaction that was begun twice and committed once', async () => {
    const { log } = storage;
    const values = Array.from({ length: 30 }, (_, index) => `${index} ${'x'.repeat(60)}`);
    for (const value of values) log.appendChanges(xid(10), bytes(value));
    log.abandon();
    appendTransaction(log, 10, values);
    await log.sync();

    expect(await readInBlocks(log, 0 as LogPosition, 500)).toEqual([{ lsn: '10', xid: 10, fragments: values }]);
  });

  test('reads nothing past the range', async () => {
    const { log } = storage;
    appendTransaction(log, 10, ['a']);
    const through = await log.sync();
    appendTransaction(log, 11, ['b']);
    await log.sync();
    const block = await log.read({ after: 0 as LogPosition, through }, MANY);

    expect({ through: block.through, transactions: transactionsOf(block) }).toEqual({
      through,
      transactions: [{ lsn: '10', xid: 10, fragments: ['a'] }],
    });
  });

  test('gives a layout one id, and another to another', async () => {
    const { log } = storage;
    const { id: _, ...layout } = itemsLayout;
    const first = log.appendLayout(layout);
    const again = log.appendLayout({ ...layout });
    const links = [{ child: 1, parent: 2, since: 3 }];
    const relinked = links.map((link) => ({ ...link, since: 4 }));
    const others = [{ columns: layout.columns.slice(1) }, { links }, { links: relinked }].map((other) => {
      return log.appendLayout({ ...layout, ...other });
    });

    expect({ again, ids: new Set([first, ...others]).size, stored: [first, ...others.slice(1, 2)].map((id) => log.layoutOf(id)) }).toEqual({
      again: first,
      ids: 4,
      stored: [{ id: first, ...layout }, { id: others[1], ...layout, links }],
    });
  });

  test('tells the records behind a position, also those inside an open transaction', async () => {
    const { log } = storage;
    log.appendRecord(deleted('early'));
    const after = await log.sync();
    log.appendChanges(xid(10), bytes('a'));
    log.appendRecord(deleted('inside'));
    log.appendCommit(xid(10), lsn(10));
    log.appendRecord(deleted('late'));
    await log.sync();

    expect(await recordsOf(log, after)).toEqual([deleted('inside'), deleted('late')]);
  });

  test('still reads behind a position that was released', async () => {
    const { log } = storage;
    for (let commit = 1; commit <= 20; commit += 1) appendTransaction(log, commit, ['x'.repeat(100)]);
    const released = await log.sync();
    appendTransaction(log, 30, ['kept']);
    await log.sync();
    await log.release(released);

    expect(await readAll(log, released)).toEqual([{ lsn: '30', xid: 30, fragments: ['kept'] }]);
  });

  test('says where the first transaction begins that a snapshot does not see, also when what lies before is released', async () => {
    const { log } = storage;
    appendTransaction(log, 90, ['seen']);
    const before = await log.sync();
    appendTransaction(log, 91, ['not seen', 'nor this']);
    appendTransaction(log, 92, ['seen']);
    appendTransaction(log, 96, ['begun later']);
    await log.release(await log.sync());
    const unseen = log.firstUnseen(pgSnapshot) ?? log.durableEnd;

    expect({ unseen, read: (await readAll(log, unseen)).map(({ xid: id }) => id) }).toEqual({ unseen: before, read: [91, 92, 96] });
  });

  test('gives who follows a table what touched it, by whichever of its layouts, and what was made anew under its name', async () => {
    const { log } = storage;
    const { id: _, ...table } = itemsLayout;
    const others = [{ ...table, columns: [] }, { ...table, oid: 9 }, { ...table, oid: 9, name: 'other' }, { ...table, name: 'renamed' }];
    const layouts = [table, ...others].map((layout) => log.appendLayout(layout));
    const append = (commit: number, told: readonly number[] | undefined): void => {
      log.appendChanges(xid(commit), bytes('x'));
      log.appendCommit(xid(commit), lsn(commit), told && new Set(told));
    };
    for (const [index, id] of layouts.entries()) append(10 + index, [id]);
    append(20, undefined);
    append(21, [layouts[3] ?? 0, layouts[0] ?? 0]);
    await log.sync();
    const { through, transactions } = await log.read({ after: LOG_START, through: log.durableEnd }, MANY, table);
    const ofOthers = [13]; // They may come: whatever is no longer in memory does.

    expect({ through, read: transactions.map(({ xid: id }) => id).filter((id) => !ofOthers.includes(id)) }).toEqual({
      through: log.durableEnd, read: [10, 11, 12, 14, 20, 21],
    });
  });

  test('does not send a snapshot of another cluster back', async () => {
    const { log } = storage;
    appendTransaction(log, 91, ['of the old slot']);
    log.restart(anotherSource, lsn(3));

    expect(log.firstUnseen(pgSnapshot)).toBeUndefined();
  });

  test('any transactions come back, whatever lies between them', async () => {
    const fragment = fc.string({ maxLength: 40 });
    const transaction = fc.record({
      fragments: fc.array(fragment, { maxLength: 4 }),
      ending: fc.constantFrom('commit', 'abandon', 'record', 'sync'),
    });
    let commit = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(transaction, { maxLength: 12 }), fc.integer({ min: 1, max: 200 }), async (script, bytesMax) => {
        const { log } = storage;
        const after = await log.sync();
        const expected: ReturnType<typeof transactionsOf> = [];
        for (const { fragments, ending } of script) {
          commit += 1;
          for (const part of fragments) log.appendChanges(xid(commit), bytes(part));
          if (ending === 'record') log.appendRecord(deleted('any'));
          if (ending === 'sync') await log.sync();
          if (ending === 'abandon') log.abandon();
          else log.appendCommit(xid(commit), lsn(commit));
          if (ending !== 'abandon' && fragments.length > 0) expected.push({ lsn: String(commit), xid: commit, fragments });
        }
        await log.sync();
        expect(await readInBlocks(log, after, bytesMax)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});

test('a fragment that is larger than a frame, and stays in memory, is a copy', async () => {
  const log = memoryLog();
  const sent = 'much'.repeat(FRAME_BYTES_MAX / 4 + 1);
  const reused = Buffer.from(sent);
  log.appendChanges(xid(10), reused);
  reused.fill('other');
  log.appendCommit(xid(10), lsn(10));
  const through = await log.sync();
  const kept = log.readKept({ after: LOG_START, through }, MANY);

  expect(kept && transactionsOf(kept)).toEqual([{ lsn: '10', xid: 10, fragments: [sent] }]);
});
