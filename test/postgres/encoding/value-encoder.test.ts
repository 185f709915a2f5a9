import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowableBytes } from '../../../src/base/growable-bytes.ts';
import { encodeContent, encodeCopyField, encodeText } from '../../../src/postgres/encoding/value-encoder.ts';

function jsonOf(text: string): string {
  const source = Buffer.from(text);
  const out = new GrowableBytes(4);
  encodeText(out, source, 0, source.length);
  return Buffer.from(out.bytes.subarray(0, out.length)).toString();
}

function jsonOfCopy(field: string): string {
  const line = Buffer.from(field);
  const out = new GrowableBytes(4);
  encodeCopyField(out, line, 0, line.length);
  return Buffer.from(out.bytes.subarray(0, out.length)).toString();
}

test('gives what JSON.stringify gives, for short and for long text', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ unit: 'binary', minLength: 60, maxLength: 300 }));

  fc.assert(fc.property(text, (any) => jsonOf(any) === JSON.stringify(any)), { numRuns: 2_000 });
});

test('each byte at each place among others is written as it is, or as JSON wants it', () => {
  const json = (byte: number): string => JSON.stringify(String.fromCharCode(byte)).slice(1, -1);
  const written = (byte: number): number[] => (byte < 0x80 ? [...Buffer.from(json(byte))] : [byte]);
  const wrong: string[] = [];
  for (const around of [0x00, 0x1f, 0x20, 0x21, 0x23, 0x5b, 0x5d, 0x7f, 0x80, 0xa2, 0xdc, 0xff]) {
    for (let place = 0; place < 20; place += 1) {
      for (let byte = 0; byte < 256; byte += 1) {
        const source = Uint8Array.from({ length: 20 }, (_, index) => (index === place ? byte : around));
        const out = new GrowableBytes(4);
        encodeContent(out, source, 0, source.length);
        const isRight = Buffer.from([...source].flatMap(written)).equals(out.bytes.subarray(0, out.length));
        if (!isRight) wrong.push(`${byte} at ${place} among ${around}`);
      }
    }
  }

  expect(wrong).toEqual([]);
});

test.each([
  [String.raw`\N`, null],
  [String.raw`\\N`, String.raw`\N`],
  [String.raw`\N `, 'N '],
  [String.raw`a\tb\nc\rd\be\ff\vg`, 'a\tb\nc\rd\be\ff\vg'],
  [String.raw`\\\\`, String.raw`\\`],
  [String.raw`\101\60\7`, 'A0\u0007'],
  [String.raw`\x41\x4g\xg`, 'A\u0004gxg'],
  [String.raw`\.`, '.'],
  ['say "hi"', 'say "hi"'],
  ['', ''],
])('reads the COPY field %j', (field, text) => {
  expect(jsonOfCopy(field)).toBe(JSON.stringify(text));
});

test('a COPY field ends at its tab', () => {
  const line = Buffer.from('one\ttwo');
  const out = new GrowableBytes(4);

  const end = encodeCopyField(out, line, 0, line.length);

  expect({ end, json: Buffer.from(out.bytes.subarray(0, out.length)).toString() }).toEqual({ end: 3, json: '"one"' });
});
