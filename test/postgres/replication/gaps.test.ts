/** What cannot be followed is told as a gap of its table, in its transaction, and nothing else is lost for it. */
import { beforeEach, expect, test } from 'vitest';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import { ChangeWriter } from '../../../src/postgres/replication/change-writer.ts';
import { PgoutputParser } from '../../../src/postgres/replication/pgoutput-parser.ts';
import * as messages from '../../support/postgres/pgoutput-messages.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';

const [ITEMS, OTHERS] = [7, 8];
const relations = [
  messages.relation({ oid: ITEMS, name: 'items', columns: ['id', 'text'] }),
  messages.relation({ oid: OTHERS, name: 'others', columns: ['id'] }),
];

let sink: RecordingSink;
beforeEach(() => {
  sink = new RecordingSink();
});

/** As the stream does it: a message is counted before it is parsed. */
function writing({ bytesMax = 1e9, lastCommitLsn = LSN_ZERO } = {}) {
  const writer = new ChangeWriter({ sink, lastCommitLsn, transactionBytesMax: bytesMax, linksOf: () => [] });
  const parser = new PgoutputParser(writer);
  const commit = (lsn: bigint, changes: readonly Uint8Array[]): void => {
    for (const message of [messages.begin(lsn, Number(lsn)), ...changes, messages.commit(lsn, lsn + 1n)]) {
      writer.count(message.length);
      parser.parse(message, 0, message.length);
    }
  };
  commit(1n, relations);
  return { writer, commit };
}

const told = (): unknown[] => sink.transactions.map(({ lsn, changes }) => [lsn, changes]).filter(([, changes]) => changes?.length !== 0);
const gapOf = (table: string, cause: string) => ({ kind: 5, table, position: 0, cause });
const other = (id: string, position: number) => ({ kind: 1, table: 'others', position, new: [id] });

test.each([
  ['replicaIdentity', 'an update without an old row', messages.update(ITEMS, undefined, ['1', 'a'])],
  ['replicaIdentity', 'an update with the old key alone', messages.update(ITEMS, ['1', null], ['2', 'a'], 'K')],
  ['replicaIdentity', 'a delete with the old key alone', messages.remove(ITEMS, ['1', null], 'K')],
  ['rowMalformed', 'an insert that leaves out a value', messages.insert(ITEMS, ['1', messages.UNCHANGED])],
  ['rowMalformed', 'an update whose old row leaves out a value', messages.update(ITEMS, ['1', messages.UNCHANGED], ['1', 'a'])],
  ['rowMalformed', 'a delete whose old row leaves out a value', messages.remove(ITEMS, ['1', messages.UNCHANGED])],
  ['rowMalformed', 'an insert of fewer columns than were described', messages.insert(ITEMS, ['1'])],
  ['rowMalformed', 'an update of more columns than were described', messages.update(ITEMS, ['1', 'a'], ['1', 'b', 'c'])],
  ['rowMalformed', 'a delete of more columns than were described', messages.remove(ITEMS, ['1', 'a', 'b'])],
])('%s is the gap that stands for %s, and for all else that the transaction did to the table', (cause, _, message) => {
  const { commit } = writing();

  commit(2n, [messages.insert(OTHERS, ['1']), message, messages.insert(ITEMS, ['3', 'a']), message, messages.insert(OTHERS, ['2'])]);
  commit(4n, [messages.insert(ITEMS, ['4', 'a'])]);

  expect(told()).toEqual([
    ['2', [other('1', 0), other('2', 8), gapOf('items', cause)]],
    ['4', [{ kind: 1, table: 'items', position: 0, new: ['4', 'a'] }]],
  ]);
});

const large = messages.insert(ITEMS, ['2', 'x'.repeat(300_000)]);

test('of a transaction over the limit every table is told, with what else is wrong with it, and no row is kept', () => {
  const { commit } = writing({ bytesMax: 1_000_000 });

  commit(2n, [messages.insert(OTHERS, ['1']), ...Array<Uint8Array>(100).fill(large), messages.update(OTHERS, undefined, ['2'])]);
  commit(4n, [messages.insert(OTHERS, ['3'])]);

  expect({ told: told(), keptAtMost: sink.openBytesMax < 1_000_000, abandoned: sink.abandonedCount }).toEqual({
    told: [
      ['2', [gapOf('others', 'replicaIdentity'), gapOf('items', 'transactionTooLarge')]],
      ['4', [other('3', 0)]],
    ],
    keptAtMost: true,
    abandoned: 1,
  });
});

test('a transaction that holds nothing for us is told without a fragment', () => {
  const { commit } = writing();

  commit(2n, []);

  expect(sink.commits.at(-1)).toMatchObject({ lsn: '2', changes: [], fragmentCount: 0 });
});

test('a transaction of exactly the limit is followed', () => {
  const changes = [messages.insert(OTHERS, ['1'])];
  const bytesMax = [...changes, messages.commit(2n, 3n)].reduce((sum, { length }) => sum + length, 0);
  const { commit } = writing({ bytesMax });

  commit(2n, changes);

  expect(told()).toEqual([['2', [other('1', 0)]]]);
});

test.each([
  { bytesMax: 1e9, layouts: [1, 3] },
  { bytesMax: 1000, layouts: [3] },
])('of a table that is altered on the way the layouts of what is kept up to $bytesMax bytes are told', ({ bytesMax, layouts }) => {
  const altered = messages.relation({ oid: ITEMS, name: 'items', columns: ['id', 'text', 'more'] });
  writing({ bytesMax }).commit(2n, [messages.insert(ITEMS, ['1', 'a']), altered, messages.insert(ITEMS, ['2', 'x'.repeat(1000), 'b'])]);

  expect(sink.transactions.at(-1)?.layouts).toEqual(layouts);
});

test('a transaction that was taken before is passed over, however large it is', () => {
  const { commit } = writing({ bytesMax: 1000, lastCommitLsn: '2' as Lsn });

  commit(2n, [large]);

  expect({ told: told(), abandoned: sink.abandonedCount }).toEqual({ told: [], abandoned: 0 });
});

test('a transaction over the limit that breaks off comes again as it was', () => {
  const { writer } = writing({ bytesMax: 1000 });
  const changes = [messages.insert(OTHERS, ['1']), large];
  writer.begin(2n, 2 as never);
  writer.count(2000);
  sink.abandon();

  writing({ bytesMax: 1000 }).commit(2n, changes);

  expect(told()).toEqual([['2', [gapOf('others', 'transactionTooLarge'), gapOf('items', 'transactionTooLarge')]]]);
});
