import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LogPosition } from '../../../src/model/log-position.ts';
import { lsn } from '../../support/storage/stored-samples.ts';
import { Pace, positionOf, rejoined } from '../../../src/storage/shapes/pace.ts';

const at = (position: number) => position as LogPosition;

/** A shape at 10 and others at 20, which go on when a test says so. */
function startAlone() {
  const others = { position: at(20) };
  return { others, pace: new Pace(others, { position: at(10), isLagging: true }) };
}

test('a shape that stands alone stays where it is while the others go on', () => {
  const { others, pace } = startAlone();
  others.position = at(30);

  expect(pace.position).toBe(10);
});

test('a shape that takes what the others have goes along from then on', () => {
  const { others, pace } = startAlone();
  pace.take(at(20));
  others.position = at(30);

  expect({ position: pace.position, state: pace.state }).toEqual({ position: 30, state: { position: 20, isLagging: false } });
});

test('what the others hold says nothing about a shape that stands alone, but for what they held when it left', () => {
  const { pace } = startAlone();
  const restored = new Pace({ position: at(20) }, { position: at(10), isLagging: true }, lsn(0));
  const seen: unknown[] = [pace.waitsAt, restored.waitsAt];
  for (const leaving of [pace, restored]) {
    leaving.leave(lsn(7));
    leaving.leave(lsn(9));
    seen.push(leaving.waitsAt);
  }
  pace.leave(lsn(5));
  seen.push(pace.waitsAt);
  pace.take(at(20));
  seen.push(pace.waitsAt);
  pace.leave(lsn(9));

  expect([...seen, pace.waitsAt]).toEqual([undefined, '0', '7', '0', '5', undefined, '9']);
});

test('a shape that went along with the others before a restart waits for nothing', () => {
  const restored = new Pace({ position: at(20) }, { position: at(20), isLagging: false }, lsn(0));

  expect(restored.waitsAt).toBe(undefined);
});

test('a shape that takes less stays alone', () => {
  const { pace } = startAlone();
  pace.take(at(15));

  expect({ position: pace.position, state: pace.state }).toEqual({ position: 15, state: { position: 15, isLagging: true } });
});

test('a shape that nobody waits for stays alone, however far it has come', () => {
  const { others, pace } = startAlone();
  pace.take(at(25), 'behind');
  others.position = at(30);

  expect(pace.position).toBe(25);
});

test('a shape may be ahead of the others, until they have come as far', () => {
  const { others, pace } = startAlone();
  pace.take(at(25));
  const ahead = pace.position;
  others.position = at(30);

  expect({ ahead, together: pace.position }).toEqual({ ahead: 25, together: 30 });
});

test('to take what was taken before changes nothing', () => {
  const { pace } = startAlone();
  pace.take(at(5), 'behind');

  expect(pace.position).toBe(10);
});

test('a shape that leaves the others stands where they are', () => {
  const { others, pace } = startAlone();
  pace.take(at(20));
  others.position = at(30);
  pace.leave(lsn(7));
  others.position = at(40);

  expect(pace.state).toEqual({ position: 30, isLagging: true });
});

test('a shape that was left behind does not join by what it had been brought before', () => {
  const { others, pace } = startAlone();
  pace.take(at(20));
  pace.leaveBehind(lsn(7));
  pace.take(at(25));
  const seen: unknown[] = [[pace.isBrought, pace.state]];
  pace.bringAgain();
  pace.take(at(25));
  others.position = at(30);

  expect([...seen, [pace.isBrought, pace.position]]).toEqual([
    [false, { position: 25, isLagging: true }],
    [true, 30],
  ]);
});

test('a snapshot sends its shape back and never forward', () => {
  const [back, forward] = [startAlone().pace, startAlone().pace];
  back.goBack(at(7));
  forward.goBack(at(12));

  expect([back.position, forward.position]).toEqual([7, 10]);
});

test.each([5, 10, 12])('a shape at 10 whose snapshot lacks what lies behind %i promises nothing of what all others had', (place) => {
  const { pace } = startAlone();
  pace.leave(lsn(7));
  pace.goBack(at(place));

  expect(pace.waitsAt).toBe('0');
});

test('after a restart only a shape that is behind stands alone', () => {
  const states = [10, 20, 25].map((position) => rejoined({ position: at(position), isLagging: true }, at(20)));

  expect(states.map(({ isLagging }) => isLagging)).toEqual([true, false, false]);
});

const step = fc.oneof(
  fc.record({ take: fc.nat(50), behind: fc.boolean() }),
  fc.record({ advance: fc.nat(50) }),
  fc.constant('leave' as const),
);

test('whatever happens but a snapshot, a shape never goes back, and its state says where it is', () => {
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const { others, pace } = startAlone();
      const places = steps.map((one) => {
        if (one === 'leave') pace.leave(lsn(7));
        else if ('advance' in one) others.position = at(Math.max(others.position, one.advance));
        else pace.take(at(one.take), one.behind ? 'behind' : undefined);
        return pace.position;
      });
      expect({ places, restored: positionOf(pace.state, others.position) }).toEqual({
        places: places.toSorted((left, right) => left - right),
        restored: places.at(-1) ?? 10,
      });
    }),
  );
});
