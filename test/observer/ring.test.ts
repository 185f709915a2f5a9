import { expect, test } from 'vitest';
import { Ring } from '../../src/observer/recording/ring.ts';

test('it keeps the newest, by count', () => {
  const ring = new Ring<number>({ itemsMax: 3, bytesMax: 1_000 });

  for (let item = 1; item <= 100; item += 1) ring.push(item, 10);

  expect([[...ring.all()], [...ring.newestFirst(2)], ring.count, ring.bytes, ring.oldest, ring.newest]).toEqual([
    [98, 99, 100], [100, 99], 3, 30, 98, 100,
  ]);
});

test('it keeps no more bytes than it may, but for one item that is larger than all of it', () => {
  const ring = new Ring<string>({ itemsMax: 100, bytesMax: 50 });
  const kept = ['a', 'b', 'c', 'large', 'd'].map((item) => {
    ring.push(item, item === 'large' ? 80 : 20);
    return [[...ring.all()].join(''), ring.bytes];
  });

  expect(kept).toEqual([['a', 20], ['ab', 40], ['bc', 40], ['large', 80], ['d', 20]]);
});

test('emptied it holds nothing', () => {
  const ring = new Ring<number>({ itemsMax: 3, bytesMax: 1_000 });
  ring.push(1, 10);

  ring.clear();

  expect([[...ring.all()], ring.count, ring.bytes, ring.oldest, ring.newest]).toEqual([[], 0, 0, undefined, undefined]);
});
