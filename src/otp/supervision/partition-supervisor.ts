/**
 * PartitionSupervisor: one service as several equal processes, each for a share of the keys, so that one busy key keeps
 * only those waiting that share its partition.
 *
 * One key must always be in the same partition. So the partition follows from the key and the number of partitions alone.
 * Each has a name of its own, and no process stands between a sender and a partition. The partitions are the children of
 * a supervisor; to take some out of service is to stop children that can be started again.
 */
import { fnvHash } from '../../base/fnv-hash.ts';
import type { ListedChild } from './child-row.ts';
import type { ChildSpec, SupervisorSpec } from './child-spec.ts';
import { refuseFaulty } from './child-spec-faults.ts';
import type { Address, MachineSpec, Message, Name, ProcessSpec } from '../process.ts';
import { supervisor } from './supervisor.ts';

/** Several equal processes, each for a share of the keys. */
export interface PartitionSupervisorSpec extends Pick<SupervisorSpec, 'maxRestarts' | 'maxSeconds'>, Pick<ChildSpec, 'shutdown'> {
  /** Of the supervisor; those of the partitions follow from it. */
  readonly name: Name;
  /** How many; fewer can be in service later, never more. */
  readonly partitions: number;
  /** Evaluated at each start; the process is given the partition's name. */
  readonly start: (partition: number) => ProcessSpec;
  /** Never `temporary`: the keys of a partition that is gone for good would belong nowhere. */
  readonly restart?: 'permanent' | 'transient';
  /** Default `one_for_one`. */
  readonly strategy?: SupervisorSpec['strategy'];
  /** There is no other: no partition is more significant than another. */
  readonly autoShutdown?: 'never';
}

/** Who asks the supervisor, from outside of processes: a runtime. */
export interface Caller {
  /** As that of a runtime. */
  call(to: Address, request: Message): Promise<Message>;
}

/** A partition that was to be in service did not come up; those before it are in service. */
export class PartitionStartError extends Error {
  override readonly name = 'PartitionStartError';
}

/** @throws {InvalidSpecError} */
export function partitionSupervisor(spec: PartitionSupervisorSpec): MachineSpec {
  checkPartitions(spec);
  const { name, partitions, start, restart = 'permanent', shutdown, strategy = 'one_for_one', maxRestarts, maxSeconds } = spec;
  const children = Array.from({ length: partitions }, (_, partition): ChildSpec => ({
    id: String(partition),
    start: () => ({ ...start(partition), name: nameOf(name, partition) }),
    restart,
    ...(shutdown === undefined ? {} : { shutdown }),
  }));
  const limits = { ...(maxRestarts === undefined ? {} : { maxRestarts }), ...(maxSeconds === undefined ? {} : { maxSeconds }) };
  return supervisor({ name, strategy, children, ...limits });
}

/**
 * Where the messages about `key` go: for an integer, the partition of its absolute value modulo their number.
 *
 * @param partitions how many are in service.
 * @throws {RangeError} when none is.
 */
export function partitionOf(name: Name, partitions: number, key: unknown): Name {
  const isSome = Number.isInteger(partitions) && partitions >= 1;
  if (!isSome) throw new RangeError(`${name} has no partition for a key: ${partitions} are in service`);
  const number = typeof key === 'number' && Number.isSafeInteger(key) ? Math.abs(key) : fnvHash(JSON.stringify(key) ?? '');
  return nameOf(name, number % partitions);
}

/**
 * Puts the first `partitions` into service and takes the others out; one change at a time. Who sends says by
 * `partitionOf` how many there are, so tell senders of fewer before, and of more after.
 *
 * @returns how many were in service before.
 * @throws {RangeError} when there are not so many; nothing has changed.
 * @throws {PartitionStartError}
 */
export async function resizePartitions(caller: Caller, name: Name, partitions: number): Promise<number> {
  const { children } = await caller.call(name, { type: 'whichChildren' });
  const all = children as readonly ListedChild[];
  const isThere = Number.isInteger(partitions) && partitions >= 0 && partitions <= all.length;
  if (!isThere) throw new RangeError(`${name} has ${all.length} partitions, not ${partitions}`);
  for (const { id } of all.slice(partitions).reverse()) await caller.call(name, { type: 'terminateChild', id });
  for (const { id, status } of all.slice(0, partitions)) if (status === 'down') await putIntoService(caller, name, id);
  return all.filter(({ status }) => status !== 'down').length;
}

async function putIntoService(caller: Caller, name: Name, id: string): Promise<void> {
  const answer = await caller.call(name, { type: 'restartChild', id });
  if (answer.type === 'child.refused') throw new PartitionStartError(`${name}/${id} did not start: ${JSON.stringify(answer.reason)}`);
}

function checkPartitions({ name, partitions, start, restart = 'permanent', autoShutdown = 'never' }: PartitionSupervisorSpec): void {
  if (typeof name !== 'string') refuseFaulty({ code: 'invalid_name', value: name });
  if (!Number.isInteger(partitions) || partitions < 1) refuseFaulty({ code: 'invalid_partitions', value: partitions });
  if (start === undefined) refuseFaulty({ code: 'missing_start' });
  if (typeof start !== 'function') refuseFaulty({ code: 'invalid_start', value: start });
  if (restart !== 'permanent' && restart !== 'transient') refuseFaulty({ code: 'invalid_restart_type', value: restart });
  if (autoShutdown !== 'never') refuseFaulty({ code: 'invalid_auto_shutdown', value: autoShutdown });
}

/** No registry begins with `@`: so this is the name of no key, and whoever listens to a registry is not told of it. */
function nameOf(name: Name, partition: number): Name {
  return `@${name}/${partition}`;
}
