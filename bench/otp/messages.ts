/** Messages between two machines: a rally of processes, and one of bare actors. */
import { createRuntime, effects, type Effects, type Pid, type Runtime } from 'armature/otp';
import { createActor } from 'xstate';
import { cpuMicrosEach, type Batches } from './cpu.ts';
import { barePlayer, playerProcess } from './rally.ts';

export async function sendMessages(size: Batches): Promise<readonly number[]> {
  const play = rally(createRuntime(), effects);
  return cpuMicrosEach(size, play);
}

/** The two belong to one system, as the processes do: xstate delivers between them at once. */
export async function sendToMessages(size: Batches): Promise<readonly number[]> {
  return cpuMicrosEach(size, bareRally);
}

/** @returns what plays `count` balls on `runtime`, by its own scheduler, until one of the two has ended. */
export function rally(runtime: Runtime, ofBuild: Effects): (count: number) => Promise<void> {
  const player = playerProcess(ofBuild);
  return async (count) => {
    const near = await runtime.start(player, { id: 'near' });
    const far = await runtime.start(player, { id: 'far' });
    meet(runtime, near, far);
    meet(runtime, far, near);
    runtime.send(near, { type: 'ball', left: count });
    await Promise.race([runtime.whenDown(near), runtime.whenDown(far)]);
    await Promise.all([runtime.stop(near), runtime.stop(far)]);
  };
}

function meet(runtime: Runtime, one: Pid, other: Pid): void {
  runtime.send(one, { type: 'meet', peer: other });
}

function bareRally(count: number): void {
  const near = createActor(barePlayer).start();
  const far = createActor(barePlayer, { parent: near }).start();
  far.send({ type: 'meet', peer: near });
  near.send({ type: 'meet', peer: far });
  near.send({ type: 'ball', left: count });
  near.stop();
}
