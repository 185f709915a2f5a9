import { expect, test } from 'vitest';
import { PlacedLines } from '../../src/model/placed-lines.ts';

const lines = [
  { position: 0, bytes: Buffer.from('{"a":1}') },
  { position: 1, bytes: Buffer.from('{}') },
  { position: 4, bytes: Buffer.from('{"a":23}') },
];

function textsOf(placed: PlacedLines): readonly string[] {
  return Array.from(placed, ({ position, bytes }) => `${position} ${Buffer.from(bytes).toString()}`);
}

test('lines lie one behind the other, a comma behind each', () => {
  const placed = PlacedLines.of(lines);
  const { ends, length } = placed;
  expect({ text: Buffer.from(placed.bytes).toString(), ends, length, lines: textsOf(placed), last: placed.last?.position }).toEqual({
    text: '{"a":1},{},{"a":23},', ends: [8, 11, 20], length: 3, lines: ['0 {"a":1}', '1 {}', '4 {"a":23}'], last: 4,
  });
});

test('what lies behind a position has its own bytes alone, and so has what is left without the last line', () => {
  const placed = PlacedLines.of(lines);
  const parts = [placed.behind(-1), placed.behind(0), placed.behind(3), placed.behind(4), placed.withoutLast()];
  expect(parts.map((part) => [Buffer.from(part.bytes).toString(), textsOf(part)])).toEqual([
    ['{"a":1},{},{"a":23},', ['0 {"a":1}', '1 {}', '4 {"a":23}']],
    ['{},{"a":23},', ['1 {}', '4 {"a":23}']],
    ['{"a":23},', ['4 {"a":23}']],
    ['', []],
    ['{"a":1},{},', ['0 {"a":1}', '1 {}']],
  ]);
});
