/** ProcessInfo: what can be known of a living process from outside. */
import type { AnyMachineSnapshot } from 'xstate';
import type { Entry } from './entry.ts';
import { isPortSpec, type Address, type Name, type Pid } from './process.ts';

export interface ProcessInfo {
  readonly pid: Pid;
  readonly id: string;
  readonly name: Name | undefined;
  readonly parent: Pid | undefined;
  /** The machine's state value; `open` and the like for a port. */
  readonly state: unknown;
  readonly tags: readonly string[];
  /** What waits, postponed events among it. */
  readonly mailboxLength: number;
  /** Its supervisor among them. */
  readonly links: readonly Pid[];
  readonly monitors: readonly Address[];
  readonly monitoredBy: readonly Pid[];
  /** Timers that are running. */
  readonly timers: readonly string[];
  /** Events handled since it began. */
  readonly handled: number;
  /** On the clock's scale. */
  readonly sinceMs: number;
}

export function describeProcess(entry: Entry): ProcessInfo {
  const { pid, id, name, parent, handled, sinceMs } = entry;
  const watchers = [...(entry.watchers ?? [])].filter((watch) => watch.kind === 'monitor');
  const links = [...(entry.links ?? [])].map((other) => other.pid);
  return {
    pid, id, name, handled, sinceMs,
    parent: parent?.pid,
    state: entry.behaviour.state(entry),
    tags: tagsOf(entry),
    mailboxLength: entry.mailbox.length + entry.urgent.length + entry.postponed.length,
    links: parent === undefined ? links : [parent.pid, ...links],
    monitors: [...(entry.monitors?.keys() ?? [])],
    monitoredBy: watchers.map((watch) => watch.owner.pid),
    timers: [...(entry.timers?.keys() ?? [])],
  };
}

function tagsOf({ actor, spec }: Entry): readonly string[] {
  if (actor === undefined || spec === undefined || isPortSpec(spec)) return [];
  const snapshot: AnyMachineSnapshot = actor.getSnapshot();
  return [...snapshot.tags].sort();
}
