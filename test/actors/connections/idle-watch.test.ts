/** How the connections are closed and opened: in which order, once for all who ask, and whatever comes in between. */
import fc from 'fast-check';
import { beforeEach, expect, test } from 'vitest';
import { IDLE_MS, IdleWorld } from '../../support/actors/idle-world.ts';

const CLOSING = ['seeStandbys', 'connections.closing', 'terminateChild', 'connections.closed'];
const OPENING = ['connections.opening', 'restartChild', 'awaitActive', 'seeWal', 'awaitPassed'];

let world: IdleWorld;

beforeEach(async () => {
  world = await new IdleWorld().start();
});

/** As a request does it. */
function ask(): Promise<unknown> {
  world.use.note();
  return world.runtime.call('@idle-watch', { type: 'awaitAwake' });
}

test('without use they are closed once, and stay so', async () => {
  await world.pass(5 * IDLE_MS);

  expect([world.state(), world.use.isOpen, world.asked]).toEqual(['asleep', false, CLOSING]);
});

test('many who ask wake once, and are answered when all that was missed is followed', async () => {
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.hold('awaitPassed');
  const asked = [ask(), ask(), ask()];
  await world.settle();
  const before = world.use.isOpen;

  world.answer('awaitPassed');
  await world.settle();
  const answers = await Promise.all(asked);

  expect([before, answers.length, world.use.isOpen, world.asked]).toEqual([false, 3, true, [...OPENING, 'connections.opened']]);
});

test('nobody is answered before the shapes have taken what the log has', async () => {
  await world.pass(2 * IDLE_MS);
  world.database.state.taken = 9;
  const asked = ask();
  await world.pass(100);
  const before = [world.state(), world.use.isOpen];
  world.database.state.taken = 10;
  await world.pass(100);
  await asked;

  expect([before, world.state()]).toEqual([['catchingUp', false], 'awake']);
});

test('a request in the moment of falling asleep waits until they are closed, and has them opened', async () => {
  world.hold('terminateChild');
  await world.pass(2 * IDLE_MS);
  const asked = ask();
  await world.settle();
  const meanwhile = world.state();

  world.answer('terminateChild');
  await world.settle();
  await asked;

  expect([meanwhile, world.state(), world.asked]).toEqual(['closing', 'awake', [...CLOSING, ...OPENING, 'connections.opened']]);
});

test('a request that comes while Postgres is asked who stands by keeps them open', async () => {
  world.hold('seeStandbys');
  await world.pass(IDLE_MS);
  world.use.note();
  world.answer('seeStandbys');
  await world.settle();

  expect([world.state(), world.asked]).toEqual(['awake', ['seeStandbys']]);
});

test.each([
  ['an instance stands by', { type: 'standbys.seen', count: 1 }],
  ['Postgres does not say', { type: 'standbys.unseen' }],
])('where %s they stay open', async (_, answer) => {
  world.tell('seeStandbys', answer);
  await world.pass(2 * IDLE_MS);

  expect([world.state(), world.use.isOpen]).toEqual(['awake', true]);
});

test('where Postgres does not come they count as open after five seconds, and nobody waits any longer', async () => {
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.hold('awaitActive');
  const asked = ask();
  await world.pass(4_900);
  const before = world.use.isOpen;
  world.database.state.isSettled = false;
  await world.pass(200);
  await asked;

  expect([before, world.use.isOpen, world.asked]).toEqual([
    false, true, ['connections.opening', 'restartChild', 'awaitActive', 'connections.overdue'],
  ]);
});

test('while it is ill, and has yet to follow what was missed, it counts as awake likewise; while it is well it goes on', async () => {
  await world.pass(2 * IDLE_MS);
  world.hold('awaitPassed');
  const asked = ask();
  await world.pass(20_000);
  const well = world.use.isOpen;
  world.database.state.isSettled = false;
  world.hold('awaitActive');
  await world.pass(10_100);
  await asked;

  expect([well, world.use.isOpen, world.asked.at(-1)]).toEqual([false, true, 'connections.overdue']);
});

test('one that has fallen ill while the shapes had yet to take what was missed looks no more whether they have', async () => {
  await world.pass(2 * IDLE_MS);
  world.database.state.taken = 9;
  const asked = ask();
  await world.pass(100);
  world.database.state.isSettled = false;
  world.hold('awaitActive');
  await world.pass(10_100);
  await asked;
  await world.pass(IDLE_MS);

  expect([world.state(), world.asked.at(-1)]).toEqual(['awake', 'connections.overdue']);
});

test.each([
  ['says nothing', { type: 'wal.unseen' }],
  ['cannot be asked', { type: 'postgres.failed', reason: 'noproc' }],
])('where Postgres %s of where it stands, twice in a row, nobody waits any longer', async (_, answer) => {
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.tell('seeWal', answer);
  const asked = ask();
  await world.pass(2_500);
  await asked;

  expect([world.state(), world.use.isOpen, world.asked.filter((what) => what !== 'connections.opening')]).toEqual([
    'awake', true, ['restartChild', 'awaitActive', 'seeWal', 'restartChild', 'awaitActive', 'seeWal', 'connections.overdue'],
  ]);
});

test('where Postgres says nothing it is asked twice each time that somebody comes', async () => {
  world.tell('seeWal', { type: 'wal.unseen' });
  for (let wakes = 0; wakes < 2; wakes += 1) {
    await world.pass(2 * IDLE_MS);
    const asked = ask();
    await world.pass(2_500);
    await asked;
  }

  expect(world.asked.filter((what) => what === 'seeWal')).toHaveLength(4);
});

test('what takes long to follow is told of once', async () => {
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.hold('awaitPassed');
  const asked = ask();
  await world.pass(20_000);
  world.answer('awaitPassed');
  await world.settle();
  await asked;

  expect(world.asked.filter((what) => what.startsWith('connections.'))).toEqual([
    'connections.opening', 'connections.following', 'connections.opened',
  ]);
});

test.each([
  ['where the WAL stands', 'seeWal', { type: 'wal.unseen' }, { type: 'wal.seen', lsn: '7' }],
  [
    'for the connections', 'restartChild', { type: 'child.refused', reason: { error: { name: 'Error', message: '' } } },
    { type: 'child.refused', reason: 'running' },
  ],
])('it is asked %s again when that brought nothing', async (_, request, first, then) => {
  await world.pass(2 * IDLE_MS);
  world.tell(request, first);
  const asked = ask();
  await world.pass(300);
  world.tell(request, then);
  await world.pass(2_000);
  await asked;

  expect(world.asked.filter((what) => what === 'connections.opened')).toHaveLength(1);
});

test('a status monitor that starts anew while they are being closed is told that this is on purpose', async () => {
  world.hold('terminateChild');
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.runtime.send('@idle-watch', { type: 'reportCondition' });
  await world.settle();

  expect([world.state(), world.asked]).toEqual(['closing', ['connections.closing']]);
});

test('a status monitor that starts anew is told that they are closed on purpose', async () => {
  await world.pass(2 * IDLE_MS);
  world.asked.length = 0;
  world.runtime.send('@idle-watch', { type: 'reportCondition' });
  await world.settle();

  expect(world.asked).toEqual(['connections.closing']);
});

type Step = 'ask' | 'pass' | 'use' | 'standby' | Held;
type Held = `${'hold' | 'answer'} ${'restartChild' | 'terminateChild' | 'awaitActive' | 'seeWal' | 'seeStandbys' | 'awaitPassed'}`;
const REQUESTS = ['restartChild', 'terminateChild', 'awaitActive', 'seeWal', 'seeStandbys', 'awaitPassed'] as const;

test('whenever anything of it is slow, everybody is answered in the end, and nobody while the connections are closed', async () => {
  const held = REQUESTS.flatMap((request): Held[] => [`hold ${request}`, `answer ${request}`]);
  const step = fc.constantFrom<Step[]>('ask', 'ask', 'pass', 'pass', 'pass', 'use', 'standby', ...held);
  const steps = fc.array(step, { maxLength: 30 });
  await fc.assert(fc.asyncProperty(steps, answersEverybody), { numRuns: 60 });
});

/** Whatever was begun is brought to an end afterwards. */
async function answersEverybody(steps: readonly Step[]): Promise<void> {
  world = await new IdleWorld().start();
  const toldWhileOpen: boolean[] = [];
  for (const step of steps) {
    if (step === 'ask') void ask().then(() => toldWhileOpen.push(world.use.isOpen));
    else if (step === 'pass') await world.pass(IDLE_MS / 2);
    else if (step === 'use') world.use.note();
    else if (step === 'standby') world.tell('seeStandbys', { type: 'standbys.seen', count: 1 });
    else if (step.startsWith('hold')) world.hold(step.slice('hold '.length));
    else world.answer(step.slice('answer '.length));
    await world.settle();
  }
  world.answerAll();
  world.tell('seeStandbys', { type: 'standbys.seen', count: 0 });
  await world.pass(4 * IDLE_MS);
  const count = (what: string): number => world.asked.filter((asked) => asked === what).length;

  expect([toldWhileOpen, world.state(), count('terminateChild') - count('restartChild')]).toEqual([
    steps.filter((step) => step === 'ask').map(() => true), 'asleep', 1,
  ]);
}
