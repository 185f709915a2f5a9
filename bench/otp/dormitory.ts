/**
 * Dormitory: very many processes that hibernate, each a state value and a context of its own. What do they weigh, and
 * what does it cost to wake one for a single event?
 */
import { createRuntime, dynamicSupervisor, effects, type MachineSpec, type Message, type Pid, type Runtime } from 'armature/otp';
import { assign, setup } from 'xstate';
import { invariant } from '../../src/base/invariant.ts';
import { systemClock } from '../../src/base/clock.ts';
import { cpuMicrosEach, type Batches } from './cpu.ts';

const hibernate = { type: 'hibernate' } as const;

/** Counts what it is woken for, and goes back to sleep. */
const sleeper = setup({
  types: { context: {} as { woken: number }, events: {} as { type: 'wake' } },
  actions: { ...effects, count: assign({ woken: ({ context }) => context.woken + 1 }) },
}).createMachine({
  id: 'sleeper',
  context: () => ({ woken: 0 }),
  entry: hibernate,
  initial: 'waiting',
  states: { waiting: { on: { wake: { actions: ['count', hibernate] } } } },
});

/** Spawns one sleeper for each order, and remembers none of them. */
const landlord = setup({ types: { events: {} as { type: 'let' | 'tenant.spawned' } }, actions: { ...effects } }).createMachine({
  id: 'landlord',
  on: { let: { actions: { type: 'spawn', params: { template: 'sleeper', as: 'tenant' } } }, 'tenant.spawned': {} },
});

const landlordSpec: MachineSpec = { machine: landlord, spawns: { sleeper: () => ({ machine: sleeper }) } };

/** Enough that what the engine compiles and keeps for itself is there already. */
const WARM_UP = 2_000;

/** Spawned by a process. @returns bytes of heap for each. */
export function hibernatedBytes(size: Batches): Promise<readonly number[]> {
  return bytesEach(size, landlordSpec, { type: 'let' });
}

/** Likewise, as children of a dynamic supervisor: with what it keeps of each. */
export function supervisedHibernatedBytes(size: Batches): Promise<readonly number[]> {
  const hotel = dynamicSupervisor({ templates: { sleeper: () => ({ restart: 'temporary', start: () => ({ machine: sleeper }) }) } });
  return bytesEach(size, hotel, { type: 'startChild', template: 'sleeper', args: { type: 'args' } });
}

/** @returns microseconds for waking one, handling one event, and hibernating again. */
export async function wakeHibernated(size: Batches): Promise<readonly number[]> {
  const runtime = createRuntime();
  const host = await runtime.start(landlordSpec, { id: 'host' });
  await fill(runtime, host, { type: 'let' }, size.count);
  const pids = sleepersOf(runtime);
  const figures = await cpuMicrosEach(size, () => {
    for (const pid of pids) runtime.send(pid, { type: 'wake' });
    runtime.drain(); // To look whether they sleep would cost more than to wake them.
  });
  invariant(everybodySleeps(runtime, pids), 'they sleep again');
  return figures;
}

async function bytesEach({ batches, count }: Batches, spec: MachineSpec, order: Message): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let batch = 0; batch < batches; batch += 1) {
    const runtime = createRuntime();
    const host = await runtime.start(spec, { id: 'host' });
    await fill(runtime, host, order, WARM_UP);
    const before = heapBytes();
    await fill(runtime, host, order, count);
    figures.push((heapBytes() - before) / count);
    await runtime.stop(host, 'kill');
  }
  return figures;
}

/** Orders so many more, and waits until they sleep. */
async function fill(runtime: Runtime, host: Pid, order: Message, count: number): Promise<void> {
  const wanted = sleepersOf(runtime).length + count;
  for (let index = 0; index < count; index += 1) {
    runtime.send(host, order);
    if (index % 1_000 === 0) await nextTick();
  }
  await until(() => {
    const pids = sleepersOf(runtime);
    return runtime.processInfo(host)?.mailboxLength === 0 && pids.length === wanted && everybodySleeps(runtime, pids);
  });
}

function everybodySleeps(runtime: Runtime, pids: readonly Pid[]): boolean {
  return pids.every((pid) => runtime.processInfo(pid)?.hibernates === true);
}

function sleepersOf(runtime: Runtime): readonly Pid[] {
  return runtime.tree().flatMap(({ children }) => children.map(({ pid }) => pid));
}

function heapBytes(): number {
  invariant(globalThis.gc !== undefined, 'the collector can be called (--expose-gc)');
  globalThis.gc();
  globalThis.gc();
  return process.memoryUsage().heapUsed;
}

async function until(isSo: () => boolean): Promise<void> {
  do await nextTick();
  while (!isSo());
}

function nextTick(): Promise<void> {
  return new Promise((done) => systemClock.setTimer(done, 1));
}
