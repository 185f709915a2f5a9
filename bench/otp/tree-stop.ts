/**
 * Stopping a tree: the time that a supervisor with `count` children needs to end in good order. Twice the children
 * should take twice the time; what a step does for each of all the others shows here first.
 */
import { createRuntime, effects, supervisor, type Pid, type Runtime } from 'armature/otp';
import { cpuMicros, type Batches } from './cpu.ts';
import { playersSupervisor, startChildren } from './lifetimes.ts';
import { playerProcess } from './rally.ts';

const WARM_UPS = 3;

const player = playerProcess(effects);

/** All at once. @returns microseconds for each child. */
export function stopDynamicTree(size: Batches): Promise<readonly number[]> {
  return stopEach(size, async (runtime, count) => {
    const root = await runtime.start(playersSupervisor(), { id: 'players' });
    await startChildren(runtime, root, count);
    return root;
  });
}

/** In reverse order, one after the other. @returns microseconds for each child. */
export function stopStaticTree(size: Batches): Promise<readonly number[]> {
  return stopEach(size, (runtime, count) => {
    const children = Array.from({ length: count }, (_, index) => ({ id: `player-${index}`, start: () => player }));
    return runtime.start(supervisor({ strategy: 'one_for_one', children }), { id: 'players' });
  });
}

/** The start is not counted, nor are the first stops: the engine still compiles what they run. */
async function stopEach({ batches, count }: Batches, start: (runtime: Runtime, count: number) => Promise<Pid>): Promise<readonly number[]> {
  const figures: number[] = [];
  for (let batch = -WARM_UPS; batch < batches; batch += 1) {
    const runtime = createRuntime();
    const root = await start(runtime, count);
    globalThis.gc?.();
    const before = cpuMicros();
    await runtime.stop(root);
    if (batch >= 0) figures.push((cpuMicros() - before) / count);
  }
  return figures;
}
