/** Following a shape: what comes is read once for all who stand at one place, and given to each of them once. */
import { expect, test } from 'vitest';
import { ShapeFollowers, type EventBatch, type Follower, type Parting } from '../../../src/api/event-streams/shape-followers.ts';
import { nextTurn } from '../../../src/base/turn.ts';
import { compareOffsets, type LogOffset } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';

const SHAPE = 'shape-1' as Handle;
const OTHER = 'shape-2' as Handle;
const at = (lsn: number): LogOffset => `${lsn}_0` as LogOffset;

const IN_TURN = 256;
const turn = (): Promise<void> => new Promise(nextTurn);

class Listener implements Follower {
  readonly taken: EventBatch[] = [];
  parting: Parting | undefined;
  failure: unknown;

  constructor(
    private readonly followers: ShapeFollowers,
    readonly handle: Handle,
    public after: LogOffset,
    private readonly batchesMax = Infinity,
  ) {
    followers.join(handle, this);
  }

  take(batch: EventBatch): void {
    this.after = batch.end;
    this.taken.push(batch);
    if (this.taken.length >= this.batchesMax) this.part('ended');
  }

  part(why: Parting): void {
    this.parting = why;
    this.followers.leave(this.handle, this);
  }

  fail(error: unknown): void {
    this.failure = error;
    this.followers.leave(this.handle, this);
  }
}

/** A log in which each LSN is an entry; what is behind `tooMuchAt` cannot be shared. */
function followed({ end = 0, tooMuchAt = Infinity } = {}) {
  const log = { end, reads: 0, followers: new ShapeFollowers(() => undefined) };
  log.followers = new ShapeFollowers((_, after) => {
    log.reads += 1;
    if (log.end >= tooMuchAt) return undefined;
    return { bytes: Buffer.from(`${after}..${log.end}`), end: at(log.end) };
  });
  const append = async (to: number): Promise<void> => {
    log.end = to;
    log.followers.announce(SHAPE, at(to));
    await turn();
  };
  return { log, append };
}

test('those who stand at one place get the same bytes, read once', async () => {
  const { log, append } = followed();
  const [first, second, ahead] = [1, 1, 5].map((lsn) => new Listener(log.followers, SHAPE, at(lsn)));
  await append(3);
  await append(6);
  const given = [first, second, ahead].map((listener) => listener?.taken.map(({ bytes }) => String(bytes)));
  expect({ given, reads: log.reads, areSame: first?.taken[0]?.bytes === second?.taken[0]?.bytes }).toEqual({
    given: [['1_0..3', '3_0..6'], ['1_0..3', '3_0..6'], ['5_0..6']],
    reads: 3,
    areSame: true,
  });
});

test('what is announced in one moment is given out together', async () => {
  const { log, append } = followed();
  const listener = new Listener(log.followers, SHAPE, at(1));
  await Promise.all([append(2), append(3)]);
  expect(listener.taken.map(({ bytes }) => String(bytes))).toEqual(['1_0..3']);
});

test('who is offered too much at once takes his leave, and so does who hears that the shape has ended', async () => {
  const { log, append } = followed({ tooMuchAt: 3 });
  const listeners = [new Listener(log.followers, SHAPE, at(1)), new Listener(log.followers, OTHER, at(1))];
  await append(3);
  log.followers.rotate(OTHER);
  expect([listeners.map(({ parting }) => parting), log.followers]).toEqual([
    ['behind', 'ended'],
    expect.objectContaining({ shapes: new Map(), members: 0 }),
  ]);
});

test('who leaves while he is given something keeps nobody else from it, and is not counted any more', async () => {
  const { log, append } = followed();
  const listeners = [1, 2, Infinity].map((most) => new Listener(log.followers, SHAPE, at(1), most));
  await append(2);
  await append(3);
  expect([listeners.map(({ taken }) => taken.length), log.followers.count]).toEqual([[1, 2, 2], 1]);
});

test('a log that cannot be read fails those who follow it, and not whoever announced it', async () => {
  const followers = new ShapeFollowers(() => {
    throw new Error('broken');
  });
  const listener = new Listener(followers, SHAPE, at(1));
  followers.announce(SHAPE, at(2));
  await turn();
  expect([listener.failure, followers.count]).toEqual([new Error('broken'), 0]);
});

test('nobody is given what he has', async () => {
  const { log, append } = followed();
  const listener = new Listener(log.followers, SHAPE, at(4));
  await append(4);
  expect([listener.taken, log.reads, compareOffsets(listener.after, at(4))]).toEqual([[], 0, 0]);
});

test('of very many who stand at one place, so many have their turn at a time, and each is given everything in order', async () => {
  const { log, append } = followed();
  const listeners = Array.from({ length: 2 * IN_TURN + 1 }, () => new Listener(log.followers, SHAPE, at(1)));
  await append(2);
  const first = listeners.filter(({ taken }) => taken.length > 0).length;
  listeners.at(-1)?.part('ended');
  await append(3);
  for (let times = 0; times < 8; times += 1) await turn();

  const given = listeners.map(({ taken }) => taken.map(({ bytes }) => String(bytes)).join());
  expect({ first, given: [...new Set(given)], last: given.at(-1), reads: log.reads, left: log.followers.count }).toEqual({
    first: IN_TURN, given: ['1_0..2,2_0..3', ''], last: '', reads: 2, left: 2 * IN_TURN,
  });
});

test('who follows another shape is given what comes, while very many are given theirs', async () => {
  const { log, append } = followed();
  for (let one = 0; one < 4 * IN_TURN; one += 1) new Listener(log.followers, SHAPE, at(1));
  const other = new Listener(log.followers, OTHER, at(1));
  await append(2);
  log.followers.announce(OTHER, at(2));
  await turn();

  expect(other.taken.length).toBe(1);
});
