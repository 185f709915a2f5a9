/**
 * Lifetimes: what a process costs from its start to its end, without a message in between. Processes and actors run
 * the same machine, and as many live at a time.
 */
import { createRuntime, dynamicSupervisor, effects, type Pid, type Runtime } from 'armature/otp';
import { createActor } from 'xstate';
import { cpuMicrosEach, type Batches } from './cpu.ts';
import { barePlayer, playerProcess } from './rally.ts';

const player = playerProcess(effects);

/** Started and told to stop from outside: the process and nothing else. */
export async function processLifetimes(size: Batches): Promise<readonly number[]> {
  const runtime = createRuntime();
  return cpuMicrosEach(size, async (count) => {
    const starts: Promise<Pid>[] = [];
    for (let index = 0; index < count; index += 1) starts.push(runtime.start(player, { id: 'player' }));
    const pids = await Promise.all(starts);
    for (const pid of pids) runtime.exit(pid, 'shutdown');
    await allGone(runtime, pids);
  });
}

/** Each in a system of its own, as `createActor` gives it. */
export async function actorLifetimes(size: Batches): Promise<readonly number[]> {
  return cpuMicrosEach(size, (count) => {
    const actors = Array.from({ length: count }, () => createActor(barePlayer).start());
    for (const actor of actors) actor.stop();
  });
}

/** Asked of a dynamic supervisor, one by one, and answered each: two calls more than the process itself. */
export async function supervisedLifetimes(size: Batches): Promise<readonly number[]> {
  const runtime = createRuntime();
  const supervisor = await runtime.start(playersSupervisor(), { id: 'players' });
  return cpuMicrosEach(size, async (count) => {
    const pids = await startChildren(runtime, supervisor, count);
    await Promise.all(pids.map((pid) => runtime.call(supervisor, { type: 'terminateChild', pid })));
  });
}

export function playersSupervisor(): ReturnType<typeof dynamicSupervisor> {
  return dynamicSupervisor({ templates: { player: () => ({ restart: 'temporary', start: () => player }) } });
}

export async function startChildren(runtime: Runtime, supervisor: Pid, count: number): Promise<readonly Pid[]> {
  const ask = { type: 'startChild', template: 'player', args: { type: 'args' } };
  const answers = await Promise.all(Array.from({ length: count }, () => runtime.call(supervisor, ask)));
  return answers.map(({ pid }) => pid as Pid);
}

/** They end in the order in which they were told. */
async function allGone(runtime: Runtime, pids: readonly Pid[]): Promise<void> {
  const last = pids.at(-1);
  if (last !== undefined) await runtime.whenDown(last);
}
