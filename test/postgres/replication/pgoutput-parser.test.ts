import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { LSN_ZERO, type Lsn } from '../../../src/model/lsn.ts';
import { ChangeWriter } from '../../../src/postgres/replication/change-writer.ts';
import { PgoutputError, type PgoutputHandler, PgoutputParser } from '../../../src/postgres/replication/pgoutput-parser.ts';
import * as messages from '../../support/postgres/pgoutput-messages.ts';
import { RecordingSink } from '../../support/postgres/recording-sink.ts';

/** Crashes when it is told anything. */
const tell = (): never => {
  throw new TypeError('told');
};
const UNTOLD: PgoutputHandler = { begin: tell, commit: tell, relation: tell, insert: tell, update: tell, delete: tell, truncate: tell };

let sink: RecordingSink;
beforeEach(() => {
  sink = new RecordingSink();
});

function parserFrom(lastCommitLsn: Lsn = LSN_ZERO): (message: Uint8Array) => void {
  const parser = new PgoutputParser(new ChangeWriter({ sink, lastCommitLsn, transactionBytesMax: 1e9, linksOf: () => [] }));
  return (message) => {
    // With strangers around it: a read beyond either end would be noticed.
    const around = Buffer.concat([Buffer.from('garbage'), message, Buffer.from('\0GARBAGE')]);
    parser.parse(around, 7, 7 + message.length);
  };
}

const relation = messages.relation({ oid: 70_000, name: 'items', columns: ['id', 'text'] });
const HIGH = 0xffff_fffe_8000_0001n;

const transaction: readonly Uint8Array[] = [
  messages.begin(HIGH, 0xffff_fff0), messages.origin(), relation, messages.type(),
  messages.insert(70_000, ['1', null]),
  messages.update(70_000, ['1', 'large'], ['1', messages.UNCHANGED]),
  messages.remove(70_000, ['1', 'large']),
  messages.truncate([70_000, 70_000]),
  messages.commit(HIGH, HIGH + 100n),
];

test('reads every kind of message; LSNs and xids keep their upper bits', () => {
  const parse = parserFrom();

  for (const message of transaction) parse(message);

  const change = { table: 'items' };
  expect({ layouts: sink.layouts, transactions: sink.transactions }).toEqual({
    layouts: [{
      id: 1, oid: 70_000, schema: 'public', name: 'items',
      columns: [{ name: 'id', typeOid: 25, typeMod: -1 }, { name: 'text', typeOid: 25, typeMod: -1 }],
    }],
    transactions: [{
      lsn: String(HIGH), xid: 0xffff_fff0, layouts: [1], fragmentCount: 1,
      changes: [
        { ...change, kind: 1, position: 0, new: ['1', null] },
        { ...change, kind: 2, position: 2, old: ['1', 'large'], new: ['1', 'large'] },
        { ...change, kind: 3, position: 4, old: ['1', 'large'] },
        { ...change, kind: 4, position: 6 },
        { ...change, kind: 4, position: 8 },
      ],
    }],
  });
});

test('names come as they are: 63 bytes of longer characters, and one that looks like a byte order mark', () => {
  const parse = parserFrom();
  const names = ['\uFEFFid', '🐎'.repeat(15) + 'abc', 'ž'.repeat(31) + 'a'];

  parse(messages.relation({ oid: 1, name: '\uFEFFitems', columns: names }));

  expect(sink.layouts.map(({ name, columns }) => [name, columns.map((column) => column.name)])).toEqual([['\uFEFFitems', names]]);
});

test('passes over a transaction that was taken before, and not over the next', () => {
  const parse = parserFrom(String(HIGH) as Lsn);
  for (const message of transaction) parse(message);

  const next = [messages.begin(HIGH + 200n, 9), messages.insert(70_000, ['2', 'b']), messages.commit(HIGH + 200n, HIGH + 300n)];
  for (const message of next) parse(message);

  expect(sink.transactions.map(({ lsn, changes }) => [lsn, changes.length])).toEqual([[String(HIGH + 200n), 1]]);
});

test.each([
  ['nothing', Buffer.alloc(0)],
  ['an unknown type', Buffer.from('Z')],
  ['a binary value', messages.insert(70_000, [messages.BINARY, null])],
  ['a relation that was never described', messages.insert(1, ['1', 'a'])],
  ['a new row under another marker', altered(messages.insert(70_000, ['1', 'a']), 5, 'X')],
  ['an old row that is neither whole nor a key', altered(messages.remove(70_000, ['1', 'a']), 5, 'X')],
  ['unknown flags of a commit', altered(messages.commit(HIGH, HIGH + 100n), 1, '\u0001')],
  ['unknown options of a truncate', altered(messages.truncate([70_000]), 5, '\u0004')],
  ['a transaction inside another', messages.begin(5n, 5)],
  ['an end elsewhere', messages.commit(5n, 6n)],
  ['a truncate of billions of tables', Buffer.from('54ffffffff00', 'hex')],
])('refuses %s', (_, message) => {
  const parse = parserFrom();
  parse(messages.begin(HIGH, 4));
  parse(relation);

  expect(() => parse(message)).toThrow(PgoutputError);
});

test('tells of a commit when it was, by the clock of 1970, and how many operations it had', () => {
  const parse = parserFrom();

  for (const message of transaction) parse(message);

  expect(sink.figures).toEqual([{ committedMicros: Date.UTC(2000, 0, 1) * 1000 + 1, operations: 5 }]);
});

function altered(message: Buffer, at: number, character: string): Buffer {
  message.write(character, at, 'latin1');
  return message;
}

test('refuses a message of any kind with a byte left over, and tells nothing of it', () => {
  const parser = new PgoutputParser(UNTOLD);
  const refusals = transaction.map((message) => {
    try {
      return parser.parse(Buffer.concat([message, Buffer.from('xx')]), 0, message.length + 1);
    } catch (error) {
      return error instanceof Error ? error.message : error;
    }
  });

  expect(refusals).toEqual(transaction.map(() => 'the message ends 1 bytes behind its last part'));
});

test('refuses a change outside of any transaction', () => {
  const parse = parserFrom();
  parse(relation);

  expect(() => parse(messages.insert(70_000, ['1', 'a']))).toThrow(PgoutputError);
});

/** @returns 'read', or the name of the error; any but the typed one is thrown on. */
function outcomeOf(message: Uint8Array): string {
  const parse = parserFrom();
  parse(messages.begin(HIGH, 4));
  parse(relation);
  try {
    parse(message);
    return 'read';
  } catch (error) {
    if (error instanceof PgoutputError) return error.name;
    throw error;
  }
}

test('a message that is cut anywhere is refused', () => {
  const cuts = transaction.flatMap((message) => Array.from({ length: message.length }, (_, length) => message.subarray(0, length)));

  expect(new Set(cuts.map(outcomeOf))).toEqual(new Set(['PgoutputError']));
});

test('any bytes are read whole or refused with a typed error', () => {
  const garbage = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .tuple(fc.constantFrom(...'BCORYIUDT'), fc.uint8Array({ maxLength: 100 }))
      .map(([type, rest]) => Buffer.concat([Buffer.from(type), rest])),
    fc.tuple(fc.constantFrom(...transaction), fc.nat(), fc.nat(255)).map(([message, at, byte]) => {
      const flipped = Uint8Array.from(message);
      flipped[at % flipped.length] = byte;
      return flipped;
    }),
  );

  fc.assert(fc.property(garbage, (message) => ['read', 'PgoutputError'].includes(outcomeOf(message))), { numRuns: 5_000 });
});

const text = fc.string({ unit: 'binary', maxLength: 120 }).map((any) => any.replaceAll('\0', ''));
const row = fc.tuple(text, fc.option(text));

test('random transactions come out as they went in, in fragments that hold whole changes', () => {
  const change = fc.oneof(
    fc.record({ kind: fc.constant(1 as const), row }),
    fc.record({ kind: fc.constant(2 as const), old: row, row }),
    fc.record({ kind: fc.constant(3 as const), old: row }),
  );
  fc.assert(
    fc.property(fc.array(fc.array(change, { maxLength: 10 }), { maxLength: 5 }), (transactions) => {
      sink = new RecordingSink();
      const parse = parserFrom();
      parse(relation);
      transactions.forEach((changes, index) => {
        parse(messages.begin(BigInt(index + 1), index));
        for (const each of changes) parse(encoded(each));
        parse(messages.commit(BigInt(index + 1), BigInt(index + 1)));
      });

      const expected = transactions.map((changes) =>
        changes.map((each, index) => ({
          kind: each.kind, table: 'items', position: 2 * index,
          ...('old' in each ? { old: wellFormed(each.old) } : {}),
          ...('row' in each ? { new: wellFormed(each.row) } : {}),
        })),
      );
      expect(sink.commits.map(({ changes }) => changes)).toEqual(expected);
    }),
    { numRuns: 300 },
  );
});

type Row = readonly [string, string | null];

function encoded(change: { kind: 1; row: Row } | { kind: 2; old: Row; row: Row } | { kind: 3; old: Row }): Uint8Array {
  if (change.kind === 1) return messages.insert(70_000, change.row);
  if (change.kind === 2) return messages.update(70_000, change.old, change.row);
  return messages.remove(70_000, change.old);
}

function wellFormed(values: Row): (string | null)[] {
  return values.map((value) => (value === null ? null : Buffer.from(value).toString()));
}
