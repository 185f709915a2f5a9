import { expect, test } from 'vitest';
import type { Handle } from '../../src/model/shape.ts';
import { ShapeWorks } from '../../src/observer/shapes/shape-works.ts';
import { ManualClock } from '../support/manual-clock.ts';

const [A, B] = ['1-1' as Handle, '2-2' as Handle];

test('a shape is told its lines since the beginning, and its part of those of the last minute', () => {
  const clock = new ManualClock();
  const works = new ShapeWorks(clock, () => true);
  const told: unknown[] = [];

  works.add(A, 30, 3_000);
  works.add(B, 10, 500);
  told.push([works.of(A), works.of(B)]);
  clock.advance(30_000);
  works.add(B, 20, 1_000);
  told.push([works.of(A).share, works.of(B).share]);
  clock.advance(30_000);
  told.push([works.of(A).share, works.of(B).share]);
  clock.advance(60_000);
  told.push([works.of(A), works.of(B).share]);

  expect(told).toEqual([
    [{ lines: 30, bytes: 3_000, share: 0.75 }, { lines: 10, bytes: 500, share: 0.25 }],
    [0.5, 0.5],
    [0, 1],
    [{ lines: 30, bytes: 3_000, share: null }, null],
  ]);
});

test('a second is taken once, and of shapes that are gone nothing is kept in the end', () => {
  const works = new ShapeWorks(new ManualClock(), (handle) => handle === B);

  works.add(A, 1, 10);
  const seconds = [works.takeSecond(), works.takeSecond()];
  for (let shape = 0; shape < 1_000; shape += 1) works.add(`3-${shape}` as Handle, 1, 1);

  expect({ seconds, gone: works.of(A).lines }).toEqual({
    seconds: [{ lines: 1, lineBytes: 10 }, { lines: 0, lineBytes: 0 }],
    gone: 0,
  });
});
