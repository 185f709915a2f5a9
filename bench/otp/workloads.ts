/** Everything that can be measured in a child process, by name. A figure is per operation (or per process). */
import type { Batches } from './cpu.ts';
import { hibernatedBytes, supervisedHibernatedBytes, wakeHibernated } from './dormitory.ts';
import { actorLifetimes, processLifetimes, supervisedLifetimes } from './lifetimes.ts';
import { sendMessages, sendToMessages } from './messages.ts';
import { traceCost } from './trace-cost.ts';
import { stopDynamicTree, stopStaticTree } from './tree-stop.ts';

export const workloads = {
  actorLifetimes,
  hibernatedBytes,
  processLifetimes,
  sendMessages,
  sendToMessages,
  stopDynamicTree,
  stopStaticTree,
  supervisedHibernatedBytes,
  supervisedLifetimes,
  traceCost,
  wakeHibernated,
} satisfies Record<string, (size: Batches) => Promise<readonly number[]>>;

export type WorkloadName = keyof typeof workloads;
