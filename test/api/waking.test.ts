/** Of very many who wait for a shape each is woken once, in its turn, and holds up nobody else. */
import { expect, test } from 'vitest';
import { Parked } from '../../src/api/parking/parked.ts';
import type { Wake } from '../../src/api/parking/wake.ts';
import { ShapeListeners } from '../../src/api/shape-listeners.ts';
import { Stop } from '../../src/base/stop-signal.ts';
import { nextTurn } from '../../src/base/turn.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Handle } from '../../src/model/shape.ts';
import { ManualClock } from '../support/manual-clock.ts';

const SHAPE = 'shape-1' as Handle;
const OTHER = 'shape-2' as Handle;
const END = '1_0' as LogOffset;
const IN_TURN = 256;

/** One who says when it is woken, and by what. */
class Heard extends Parked<number> {
  constructor(
    dueMs: number,
    private readonly name: string,
    private readonly heard: string[],
    readonly stop: Stop,
  ) {
    super(dueMs, stop);
  }

  protected override woken({ cause }: Wake<number>): void {
    this.heard.push(`${this.name} ${cause}`);
  }
}

function listenersAt() {
  const clock = new ManualClock();
  const listeners = new ShapeListeners<number>(clock);
  const heard: string[] = [];
  const join = (name: string, handle = SHAPE, dueMs = 10): Heard => {
    const one = new Heard(dueMs, name, heard, new Stop());
    listeners.join(handle, END, one);
    return one;
  };
  return { clock, listeners, heard, join };
}

const turn = (): Promise<void> => new Promise(nextTurn);

test('nobody is woken within the announcement, and of a crowd so many in each turn of the loop', async () => {
  const { listeners, heard, join } = listenersAt();
  for (let one = 0; one < 2 * IN_TURN + 1; one += 1) join(String(one));
  listeners.announce(SHAPE, END);
  const counts = [heard.length];
  for (let times = 0; times < 3; times += 1) {
    await turn();
    counts.push(heard.length);
  }

  const inOrder = heard.every((told, index) => told === `${index} appended`);
  expect({ counts, inOrder, parked: listeners.parkedCount }).toEqual({
    counts: [0, IN_TURN, 2 * IN_TURN, 2 * IN_TURN + 1], inOrder: true, parked: 0,
  });
});

test('one who waits for another shape has its turn among the first, though very many are woken before it', async () => {
  const { listeners, heard, join } = listenersAt();
  for (let one = 0; one < 10 * IN_TURN; one += 1) join('of many');
  join('another', OTHER);
  listeners.announce(SHAPE, END);
  listeners.announce(OTHER, END);
  await turn();

  expect({ count: heard.length, isAmongThem: heard.includes('another appended') }).toEqual({ count: IN_TURN, isAmongThem: true });
});

test('who comes while others are woken waits for what comes next', async () => {
  const { listeners, heard, join } = listenersAt();
  for (let one = 0; one < IN_TURN + 1; one += 1) join('early');
  listeners.announce(SHAPE, END);
  await turn();
  join('late');
  await turn();
  const before = [heard.length, listeners.parkedOn(SHAPE)];
  listeners.announce(SHAPE, END);
  await turn();

  expect({ before, last: heard.at(-1) }).toEqual({ before: [IN_TURN + 1, 1], last: 'late appended' });
});

test('whose client goes before its turn is woken by what it waited for, and once', async () => {
  const { listeners, heard, join } = listenersAt();
  const [gone] = [join('gone'), join('there')];
  listeners.announce(SHAPE, END);
  gone.stop.abort('closed');
  await turn();

  expect({ heard, parked: listeners.parkedCount }).toEqual({ heard: ['gone appended', 'there appended'], parked: 0 });
});

test('whose client goes when its time is over, before its turn, takes nobody along who waits there still', async () => {
  const { clock, listeners, heard, join } = listenersAt();
  const [gone] = [join('gone', SHAPE, 3), join('there')];
  clock.advance(3);
  gone.stop.abort('closed');
  listeners.announce(SHAPE, END);
  await turn();

  expect({ heard, parked: listeners.parkedCount }).toEqual({ heard: ['gone timeout', 'there appended'], parked: 0 });
});

test('those who wait together have one timer, and each the time that it has', async () => {
  const { clock, listeners, heard, join } = listenersAt();
  const [first] = [join('first', SHAPE, 3), join('long', SHAPE, 9), join('short', SHAPE, 6), join('also short', SHAPE, 6)];
  const told: unknown[] = [clock.pendingTimers];
  first.stop.abort('closed');
  for (let times = 0; times < 3; times += 1) {
    clock.advance(3);
    await turn();
    told.push([...heard.splice(0)], clock.pendingTimers, listeners.parkedCount);
  }

  expect(told).toEqual([1, ['first aborted'], 1, 3, ['short timeout', 'also short timeout'], 1, 1, ['long timeout'], 0, 0]);
});
