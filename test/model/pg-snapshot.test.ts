/** Visibility by the 32-bit xid of the stream is what the 64-bit ids of the snapshot say, also where the 32 bits wrap. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LSN_ZERO, lsnOf as lsn } from '../../src/model/lsn.ts';
import { isBeyond, isVisible, parsePgSnapshot, type PgSnapshot, type Xid } from '../../src/model/pg-snapshot.ts';

const low32 = (xid64: bigint): Xid => Number(BigInt.asUintN(32, xid64)) as Xid;

/** Around a wrap of the low 32 bits, and elsewhere. */
const base = fc.oneof(fc.constant(0n), fc.bigInt(1n, 5n).map((epoch) => (epoch << 32n) - 50n), fc.bigInt(3n, 1n << 40n));

const snapshot = base.chain((from) =>
  fc.record({ from: fc.constant(from + 3n), span: fc.nat(100), running: fc.uniqueArray(fc.nat(99), { maxLength: 10 }) }),
);

test('a transaction is visible below xmin, and between xmin and xmax unless it was running', () => {
  fc.assert(
    fc.property(snapshot, fc.integer({ min: -60, max: 160 }), ({ from, span, running }, distance) => {
      const xmax = from + BigInt(span);
      const xip = running.map((offset) => from + BigInt(offset)).filter((xid) => xid < xmax);
      const pgSnapshot: PgSnapshot = { xmin: String(from), xmax: String(xmax), xip: xip.map(String), insertLsn: LSN_ZERO };
      const xid = from + BigInt(distance);
      fc.pre(xid >= 3n);
      expect(isVisible(low32(xid), pgSnapshot)).toBe(xid < from || (xid < xmax && !xip.includes(xid)));
    }),
    { numRuns: 2000 },
  );
});

test('a transaction is beyond a snapshot when its commit was logged after it', () => {
  const pgSnapshot = parsePgSnapshot('10:20:', lsn(90n));
  expect([9n, 89n, 90n, 91n, 900n].map((logged) => isBeyond(lsn(logged), pgSnapshot))).toEqual([false, false, false, true, true]);
});

test('the text of pg_current_snapshot is read whole, or refused', () => {
  const texts = ['10:20:', '4294967290:4294967300:4294967290,4294967297'];
  expect(texts.map((text) => parsePgSnapshot(text, lsn(90n)))).toEqual([
    { xmin: '10', xmax: '20', xip: [], insertLsn: '90' },
    { xmin: '4294967290', xmax: '4294967300', xip: ['4294967290', '4294967297'], insertLsn: '90' },
  ]);
});

test.each(['', '10', '10:20', '10:20:,', 'a:b:c', '10:20:11,'])('%j is no snapshot', (text) => {
  expect(() => parsePgSnapshot(text, LSN_ZERO)).toThrow(RangeError);
});
