/**
 * Starts: processes that a process makes for itself, and how a process that has started says so.
 *
 * A process belongs to the one that made it: it never outlives it, and is shown below it. Only a supervisor is told of
 * everything that happens to its children; who spawns is told what it asked for. What must never go wrong: a start
 * that is waited for has exactly one outcome, and one that failed leaves no exit and no DOWN behind.
 */
import { invariant } from '../../base/invariant.ts';
import { call, insert } from './calls.ts';
import type { Entry, SpawnRequest, StartRequest } from './entry.ts';
import { link } from './links.ts';
import { inJson } from './error-report.ts';
import { monitor } from './monitors.ts';
import { endLimit, limitLife } from './process-timers.ts';
import { isPortSpec, type ExitReason, type Message, type ProcessSpec } from '../process.ts';
import { isMachine } from './xstate-seam.ts';

/** A task that is asked for. */
export interface AsyncRequest extends Pick<SpawnRequest, 'template' | 'as' | 'args' | 'link'> {
  /** How long it may take, in milliseconds; default as long as it likes. */
  readonly timeoutMs?: number;
}

/** The maker does not wait for the new process to be up: its pid is the very next event. */
export function spawn(entry: Entry, request: SpawnRequest): void {
  const child = spawnFrom(entry, request);
  if (request.link === true) link(entry, child.pid);
  if (request.monitor === true) monitor(entry, child.pid, request.as);
  insert(entry, { type: `${request.as}.spawned`, process: child.pid, id: child.id });
}

/** The maker is told the outcome when there is one. Link and monitor begin when the start has succeeded. */
export function start(entry: Entry, request: StartRequest): void {
  const child = spawnFrom(entry, request);
  const awaited = { ...request, isLate: false };
  child.awaitedStart = awaited;
  limitStart(child, request.timeoutMs, () => (awaited.isLate = true));
}

/** A start that takes longer has failed: `onLate` is called, then `child` is killed. So whoever hears of its end knows why. */
export function limitStart(child: Entry, timeoutMs: number | undefined, onLate: () => void): void {
  const { kernel, parent } = child;
  if (timeoutMs === undefined || parent === undefined) return;
  invariant(timeoutMs >= 0, 'the time that a start may take is a number of milliseconds');
  limitLife(child, timeoutMs, () => {
    onLate();
    kernel.enqueue(child, { kind: 'exit', source: parent, reason: 'kill' });
  });
}

/** Starts a task and asks for its value, before the task can notice that its job is over: one that nobody awaits ends then. */
export function startTask(entry: Entry, request: AsyncRequest): void {
  const child = spawnFrom(entry, request);
  invariant(child.spec !== undefined && isPortSpec(child.spec), `'${request.template}' makes a task`);
  if (request.link !== false) link(entry, child.pid);
  const { as, timeoutMs } = request;
  call(entry, { to: child.pid, request: { type: 'await', as }, as, timeoutMs, isFirst: true });
}

/** `entry` is up, or has found that there is nothing to do. */
export function acknowledgeStart(entry: Entry, how: 'STARTED' | 'IGNORED'): void {
  const { parent, pid, id, awaitedStart } = entry;
  // A maker that has ended is not told. Then the timer that runs is not the start's: it is the time that the child has to end.
  if (parent?.alive !== true || awaitedStart?.isLate === true) return;
  endLimit(entry);
  if (entry.isSupervised) tell(parent, entry, { type: how, process: pid });
  if (awaitedStart === undefined) return;
  entry.awaitedStart = undefined;
  const { as } = awaitedStart;
  if (how === 'IGNORED') {
    tell(parent, entry, { type: `${as}.failed`, id, reason: 'ignore' });
    return;
  }
  tell(parent, entry, { type: `${as}.started`, process: pid, id });
  if (awaitedStart.link === true) link(parent, pid);
  if (awaitedStart.monitor === true) monitor(parent, pid, as);
}

/** `entry` has ended. Its supervisor always hears of that; a maker that waits for the start hears that it has failed. */
export function tellParent(entry: Entry, reason: ExitReason): void {
  const { parent, id, kernel, awaitedStart } = entry;
  if (parent === undefined) return;
  if (entry.isSupervised) kernel.enqueue(parent, { kind: 'exit', source: entry, reason });
  if (awaitedStart === undefined) return;
  tell(parent, entry, { type: `${awaitedStart.as}.failed`, id, reason: awaitedStart.isLate === true ? 'timeout' : reason });
}

/** A specification that cannot be evaluated becomes a process that cannot be opened: its start fails like any other. */
export function specOf(make: () => ProcessSpec): ProcessSpec {
  try {
    const spec: unknown = make();
    if (isProcessSpec(spec)) return spec;
    throw new TypeError(`${inJson(spec)} is neither a machine nor a port`);
  } catch (thrown) {
    return {
      open: () => {
        throw thrown;
      },
    };
  }
}

/** Code without types makes specifications too. */
function isProcessSpec(spec: unknown): spec is ProcessSpec {
  if (typeof spec !== 'object' || spec === null) return false;
  return 'open' in spec ? typeof spec.open === 'function' : 'machine' in spec && isMachine(spec.machine);
}

function spawnFrom(entry: Entry, { template, id, args }: Pick<SpawnRequest, 'template' | 'id' | 'args'>): Entry {
  const { spawns = {} } = entry.traits;
  const make = Object.hasOwn(spawns, template) ? spawns[template] : undefined;
  invariant(make !== undefined, `the process may spawn '${template}'`);
  const spec = specOf(() => make(args ?? { type: template }));
  return entry.kernel.spawn(spec, { id: id ?? template, parent: entry, isSupervised: false });
}

function tell(parent: Entry, source: Entry, message: Message): void {
  parent.kernel.enqueue(parent, { kind: 'news', source, message });
}
