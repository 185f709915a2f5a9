/**
 * Exits: how a process ends, and who hears of it.
 *
 * One function ends a process, once. It takes everything that belonged to the process out of the world first (name,
 * timers, calls, monitors, mailbox), then tells: links, children, watchers, supervisor. So whoever is told finds the
 * name free. A child never outlives its supervisor: it is sent the supervisor's exit whatever it unlinked, and killed
 * when it has not obeyed within its shutdown time.
 */
import { releaseCalls } from './calls.ts';
import type { Entry, Signal } from './entry.ts';
import { releaseMonitors, tellWatchers } from './monitors.ts';
import type { ExitReason } from '../process.ts';
import { limitLife, releaseTimers } from './process-timers.ts';
import { tellParent } from './starts.ts';
import { endOf } from './summaries.ts';

export function endProcess(entry: Entry, reason: ExitReason): void {
  if (!entry.alive) return;
  const { kernel } = entry;
  kernel.ends?.(endOf(entry, reason));
  entry.alive = false;
  kernel.forget(entry);
  kernel.registry.release(entry);
  releaseTimers(entry);
  releaseCalls(entry);
  releaseMonitors(entry);
  clearQueues(entry);
  kernel.lifecycle?.({ type: 'exit', process: entry.pid, reason });
  entry.behaviour.dispose(entry);
  tellLinks(entry, reason);
  tellChildren(entry, reason);
  tellWatchers(entry, reason);
  tellParent(entry, reason);
}

/** What waits for the process is dropped. */
function clearQueues(entry: Entry): void {
  entry.mailbox.clear();
  entry.urgent.clear();
  if (entry.idleTimer !== undefined) entry.kernel.timers.cancel(entry.idleTimer);
}

function tellLinks(entry: Entry, reason: ExitReason): void {
  if (entry.links === undefined) return;
  for (const other of entry.links) entry.kernel.enqueue(other, { kind: 'exit', source: entry, reason, linked: entry });
  entry.links = undefined;
}

function tellChildren(entry: Entry, reason: ExitReason): void {
  if (!entry.hasChildren) return;
  const toChildren = reason === 'normal' ? 'shutdown' : reason;
  for (const child of entry.children()) {
    entry.kernel.enqueue(child, { kind: 'exit', source: entry, reason: toChildren });
    killWhenOverdue(entry, child);
  }
}

function killWhenOverdue(entry: Entry, child: Entry): void {
  if (child.shutdown === 'infinity') return;
  const kill: Signal = { kind: 'exit', source: entry, reason: 'kill' };
  const delayMs = child.shutdown === 'brutal_kill' ? 0 : child.shutdown;
  // A child whose start is limited has the time to obey as its limit from now on, if that is over earlier.
  limitLife(child, delayMs, () => entry.kernel.enqueue(child, kill));
}

/** An exit signal reaches a process: the process ends, or gets an EXIT event, or nothing happens. */
export function receiveExit(entry: Entry, signal: Signal & { kind: 'exit' }): void {
  const { source, reason, linked } = signal;
  if (linked !== undefined && entry.links?.delete(linked) !== true) return;
  if (reason === 'kill') {
    entry.kernel.end(entry, 'killed');
  } else if (entry.trapExit) {
    const fromParent = entry.parent === source;
    entry.behaviour.receive(entry, source, { type: 'EXIT', process: source.pid, reason, fromParent });
  } else if (reason !== 'normal' || source.pid === entry.pid) {
    entry.behaviour.stop(entry, reason);
  }
}
