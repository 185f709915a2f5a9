/** Texts kept as bytes, against a map of strings. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TextTable } from '../../src/base/packed/text-table.ts';
import { seededRandom } from '../../src/base/random.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'a', 'ä', '日本', '\ud83d', 'x'.repeat(70_000), '日'.repeat(140_000)),
);
const anyStep = fc.record({ does: fc.constantFrom('add', 'add', 'delete'), text: anyText });

/** What can be asked of a table about some texts. */
function toldBy(table: TextTable, texts: readonly string[]) {
  const kept = Array.from(table.numbers(), (number) => table.textOf(number)).sort();
  return { kept, size: table.size, found: texts.map((text) => foundIn(table, text)) };
}

function foundIn(table: TextTable, text: string): string | undefined {
  const number = table.numberOf(text);
  return number === undefined ? undefined : table.textOf(number);
}

function withDeleted(table: TextTable, text: string): void {
  const number = table.numberOf(text);
  if (number !== undefined) table.delete(number);
}

test('it has the texts that were added and not deleted, and so has a copy, which goes its own way from then on', () => {
  const run = fc.property(fc.array(anyStep, { maxLength: 200 }), (steps) => {
    const [table, model] = [new TextTable(), new Set<string>()];
    for (const { does, text } of steps) {
      if (does === 'add') model.add(table.textOf(table.add(text)));
      else withDeleted(table, text);
      if (does === 'delete') model.delete(text);
    }
    const copy = table.copy();
    for (const text of model) withDeleted(table, text);
    table.add('only in the one');

    const texts = [...new Set(steps.map(({ text }) => text))];
    expect([toldBy(copy, texts), toldBy(table, [])]).toEqual([
      { kept: [...model].sort(), size: model.size, found: texts.map((text) => (model.has(text) ? text : undefined)) },
      { kept: ['only in the one'], size: 1, found: [] },
    ]);
  });
  fc.assert(run, { numRuns: 60 });
});

test('each of a hundred thousand texts is found by its number and the number by it, when half of them have gone and others come', () => {
  const table = new TextTable();
  const random = seededRandom(5);
  const held = new Map<string, number>();
  for (let step = 0; step < 300_000; step += 1) {
    const text = `text ${random.below(100_000)}`;
    const number = held.get(text);
    if (number === undefined) held.set(text, table.add(text));
    else if (random.below(2) === 0) {
      table.delete(number);
      held.delete(text);
    }
  }

  const wrong = [...held].filter(([text, number]) => table.numberOf(text) !== number || table.textOf(number) !== text);
  expect({ wrong, size: table.size }).toEqual({ wrong: [], size: held.size });
});

test('what was deleted gives its memory back', () => {
  const table = new TextTable();
  const numbers = Array.from({ length: 100_000 }, (_, index) => table.add(`a text of some length, with the number ${index}`));
  const full = table.bytes;
  for (const number of numbers) if (number % 10 !== 0) table.delete(number);

  const left = table.bytes / full;
  expect({ left: left < 0.45, texts: [10, 99_990].map((number) => table.textOf(number)), size: table.size }).toEqual({
    left: true,
    texts: ['a text of some length, with the number 10', 'a text of some length, with the number 99990'],
    size: 10_000,
  });
});

/** The most memory that it took after a while, when so many texts come and go one after the other. */
function peakOfChurn(count: number, textOf: (index: number) => string): number {
  const table = new TextTable();
  table.add('what stays');
  let peak = 0;
  for (let index = 0; index < count; index += 1) {
    table.delete(table.add(textOf(index)));
    peak = Math.max(peak, table.bytes);
  }
  return peak;
}

test('texts that come and go one at a time take no more memory than a few pages, short ones and those longer than a page', () => {
  const short = peakOfChurn(100_000, (index) => `a task of a queue, with the number ${index}`);
  const long = peakOfChurn(50, (index) => `${index} `.padEnd(300_000, 'x'));

  expect({ short: short < 1_000_000, long: long < 1_500_000 }).toEqual({ short: true, long: true });
});

test('when the last text has gone nothing is left of what many took', () => {
  const table = new TextTable();
  const fill = () => {
    const numbers = Array.from({ length: 50_000 }, (_, index) => table.add(`text ${index}`));
    const { bytes } = table;
    for (const number of numbers) table.delete(number);
    return { isMuch: bytes > 1_000_000, left: table.bytes, size: table.size };
  };

  expect([fill(), fill()]).toEqual([{ isMuch: true, left: 0, size: 0 }, { isMuch: true, left: 0, size: 0 }]);
});

test('texts that are taken for one have one number, and the first of them stays', () => {
  const table = new TextTable((text) => text.toLowerCase());
  const numbers = ['Ab', 'aB', 'ab', 'c'].map((text) => table.add(text, text.toLowerCase()));

  expect({ numbers, texts: [0, 1].map((number) => table.textOf(number)), found: table.numberOf('ab') }).toEqual({
    numbers: [0, 0, 0, 1], texts: ['Ab', 'c'], found: 0,
  });
});

test('many texts that are taken for one have one number as well, whichever of them is asked for', () => {
  const table = new TextTable((text) => text.toLowerCase());
  const texts = Array.from({ length: 20 }, (_, index) => `Text ${index}`);
  const numbers = texts.map((text) => table.add(text, text.toLowerCase()));
  const again = texts.map((text) => table.add(text.toUpperCase(), text.toLowerCase()));

  expect({ again, size: table.size, found: texts.map((text) => foundIn(table, text.toLowerCase())) }).toEqual({
    again: numbers, size: 20, found: texts,
  });
});

test('of few texts the number of one that has gone is given to the long one that makes them many', () => {
  const table = new TextTable();
  const [gone] = ['gone', 'there'].map((text) => table.add(text));
  withDeleted(table, 'gone');
  const long = 'x'.repeat(100);

  expect({ number: table.add(long), ...toldBy(table, ['gone', 'there']) }).toEqual({
    number: gone, kept: ['there', long], size: 2, found: [undefined, 'there'],
  });
});
