/** An answer is parsed in stretches, and what they hold together is what is in it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { messageStretches, STRETCH_BYTES } from '../../src/api/message-stretches.ts';

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const message = (key: string, text: string): object => ({ key, value: { text }, headers: { operation: 'insert' } });

test('together the stretches have every message, in its order, whatever is in them', () => {
  const texts = fc.array(fc.oneof(fc.string(), fc.constantFrom('],[', '","', '\\', '"}', 'é'.repeat(200_000), 'x'.repeat(STRETCH_BYTES))));

  fc.assert(
    fc.property(texts, (values) => {
      const messages = values.map((text, index) => message(String(index), text));
      expect([...messageStretches(bytesOf(messages))].flat()).toEqual(messages);
    }),
    { numRuns: 50 },
  );
});

test('no stretch is larger than its bound and one message', () => {
  const messages = Array.from({ length: 2_000 }, (_, index) => message(String(index), 'x'.repeat(1_000)));

  const sizes = Array.from(messageStretches(bytesOf(messages)), (stretch) => bytesOf(stretch).length);

  expect({ count: sizes.length, largest: Math.max(...sizes) < STRETCH_BYTES + 2_000 }).toEqual({ count: 9, largest: true });
});

test('it is parsed when it is asked for', () => {
  const broken = Buffer.from(`[${'1,'.repeat(STRETCH_BYTES)}{broken]`);
  const stretches = messageStretches(broken);

  const first = stretches.next().value?.length;

  expect(first).toBe(STRETCH_BYTES / 2 + 1);
  expect(() => [...stretches]).toThrow(SyntaxError);
});
