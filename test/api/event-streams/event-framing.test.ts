/** Events are the entries as they are stored, wherever the bytes are cut. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventFraming } from '../../../src/api/event-streams/event-framing.ts';

/** What a client makes of a stream, by the rules of server-sent events. */
function received(stream: string): readonly unknown[] {
  const events = stream.split('\n\n');
  return events.slice(0, -1).map((event) => JSON.parse(event.slice('data: '.length)));
}

test('whatever the entries are and wherever they are cut, a client receives each of them once', () => {
  const entries = fc.array(fc.jsonValue({ maxDepth: 3, stringUnit: 'grapheme' }), { maxLength: 8 });
  fc.assert(
    fc.property(entries, fc.array(fc.nat(200), { maxLength: 8 }), (values, cuts) => {
      const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)},`).join(''));
      const ends = [...cuts.map((cut) => Math.min(cut, bytes.length)).sort((left, right) => left - right), bytes.length];
      const framing = new EventFraming();
      const pieces = ends.map((end, index) => framing.frame(bytes.subarray(ends[index - 1] ?? 0, end)));
      expect(received(Buffer.concat(pieces).toString())).toEqual(JSON.parse(JSON.stringify(values)));
    }),
  );
});

test('a line feed in a value does not end an event', () => {
  const framed = new EventFraming().frame(Buffer.from(`${JSON.stringify({ value: 'a\n\nb' })},`));
  expect(Buffer.from(framed).toString()).toBe('data: {"value":"a\\n\\nb"}\n\n');
});
