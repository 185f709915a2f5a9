/** ProcessInfo: what can be known of a living process from outside. */
import type { AnyMachineSnapshot, StateValue } from 'xstate';
import { contextOf, memoryOf, waitingIn } from './summaries.ts';
import { firstOf } from './registry.ts';
import type { Entry, ProcessTimer } from './entry.ts';
import type { Address, Name, Pid } from '../process.ts';

/** A living process, as it is at one moment. */
export interface ProcessInfo {
  /** Its address. */
  readonly pid: Pid;
  /** The last part of its path, without its number. */
  readonly id: string;
  /** Of its specification, or the first that it registered. */
  readonly name: Name | undefined;
  /** All that it has, that of its specification first. */
  readonly names: readonly Name[];
  /** A word for people. */
  readonly label: string | undefined;
  /** Who started it; undefined for a root. */
  readonly parent: Pid | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  /** Of its machine's state, in order. */
  readonly tags: readonly string[];
  /** The id of its machine, undefined for a port. */
  readonly machine: string | undefined;
  /** Of its machine, never to be changed; undefined for a port. */
  readonly context: unknown;
  /** Names of its tables. */
  readonly tables: readonly string[];
  /** As `ProcessSummary` has it. */
  readonly memoryBytes: number;
  /** Only a state value and a context at present, until a signal reaches it. */
  readonly hibernates: boolean;
  /** How many signals wait, postponed events among them. */
  readonly mailboxLength: number;
  /** Its supervisor among them. */
  readonly links: readonly Pid[];
  /** Whom it watches. */
  readonly monitors: readonly Address[];
  /** Who watches it. */
  readonly monitoredBy: readonly Pid[];
  /** Timers that are running, and in how many milliseconds each is over. */
  readonly timers: readonly { readonly name: string; readonly leftMs: number; readonly content: unknown }[];
  /** Events handled since it began. */
  readonly handled: number;
  /** Messages that its mailbox had no room for. */
  readonly dropped: number;
  /** How often its supervisor had started it before. */
  readonly restarts: number;
  /** On the clock's scale. */
  readonly sinceMs: number;
}

export function describeProcess(entry: Entry): ProcessInfo {
  const { pid, id, label, parent, handled, dropped, restarts, sinceMs } = entry;
  const watchers = [...(entry.watchers ?? [])].filter((watch) => watch.kind === 'monitor');
  const links = [...(entry.links ?? [])].map((other) => other.pid);
  return {
    pid, id, label, handled, dropped, restarts, sinceMs,
    names: [...(entry.names ?? [])],
    name: firstOf(entry.names),
    parent: parent?.pid,
    state: entry.behaviour.state(entry),
    tags: tagsOf(entry),
    machine: entry.traits.machine?.id,
    context: contextOf(entry),
    tables: Object.keys(entry.tables ?? {}),
    memoryBytes: memoryOf(entry),
    mailboxLength: waitingIn(entry),
    hibernates: entry.hibernates,
    links: parent !== undefined && entry.isSupervised ? [parent.pid, ...links] : links,
    monitors: entry.monitors?.addresses() ?? [],
    monitoredBy: watchers.map((watch) => watch.owner.pid),
    timers: [...(entry.timers?.values() ?? [])].map((timer) => describeTimer(entry, timer)),
  };
}

function describeTimer({ kernel }: Entry, { name, heap, content }: ProcessTimer) {
  return { name, leftMs: heap === undefined ? 0 : Math.max(0, heap.deadlineMs - kernel.clock.nowMs()), content };
}

function tagsOf({ actor, traits: { machine }, hibernates, value, context }: Entry): readonly string[] {
  if (machine === undefined || (actor === undefined && !hibernates)) return [];
  const asleep = (): AnyMachineSnapshot => machine.resolveState({ value: value as StateValue, context });
  const snapshot = actor === undefined ? asleep() : (actor.getSnapshot() as AnyMachineSnapshot);
  return [...snapshot.tags].sort();
}
