/** ProcessView: all that is known of one process, with what was recorded of it. */
import type { ProcessInfo } from '../../otp/kernel/process-info.ts';
import type { Address, Pid } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';
import { SupervisionTable } from '../../otp/supervision/supervision-table.ts';
import { printed } from '../printable.ts';
import { concerns, type Recorder } from '../recording/recorder.ts';
import { messageView, transitionView } from '../recording/record-views.ts';
import { stateText } from '../state-text.ts';
import type { IntensityView, MessageView, ProcessLink, ProcessView, SupervisionView, TransitionView } from '../views/processes.ts';
import { kindOf } from './process-rows.ts';

export type SeenRuntime = Pick<Runtime, 'processInfo' | 'tableOf'>;

const EVENTS_MAX = 20;
const TRANSITIONS_MAX = 50;
const LINKS_MAX = 100;
const CONTEXT_CHARACTERS_MAX = 8_000;
const TEXT_CHARACTERS_MAX = 500;

/** @returns undefined when there is no such process. */
export function processView(
  runtime: SeenRuntime,
  recorder: Recorder,
  process: Address,
  nowMs: number,
): ProcessView | undefined {
  const info = runtime.processInfo(process);
  if (info === undefined) return undefined;
  const { pid, id, label, hibernates, mailboxLength: mailbox, handled, dropped, restarts, memoryBytes, names, tags, tables } = info;
  const linksOf = (addresses: Iterable<Address>) => Array.from(addresses).slice(0, LINKS_MAX).map((address) => linkTo(runtime, address));
  const standing = standingOf(runtime, pid, nowMs);
  return {
    atMs: recorder.epochMs(nowMs),
    pid, id, hibernates, mailbox, handled, dropped, restarts, memoryBytes, names, tags, tables,
    kind: kindOf(info),
    machine: info.machine ?? null,
    name: info.name ?? null,
    label: label ?? null,
    state: stateText(info.state),
    stateValue: info.state,
    isSupervisor: standing !== null,
    sinceMs: recorder.epochMs(info.sinceMs),
    childCount: childCountOf(runtime, pid),
    ancestors: ancestorsOf(runtime, info),
    context: info.context === undefined ? null : printed(info.context, CONTEXT_CHARACTERS_MAX),
    links: linksOf(info.links.filter((link) => link !== info.parent)),
    monitors: linksOf(info.monitors),
    monitoredBy: linksOf(info.monitoredBy),
    timers: info.timers.slice(0, LINKS_MAX).map(({ name, leftMs, content }) => {
      return { name, leftForMs: Math.round(leftMs), content: printed(content, TEXT_CHARACTERS_MAX) };
    }),
    supervision: standing,
    shape: shapeOf(names),
    ...recordedOf(recorder, pid),
    recording: recorder.view(),
  };
}

/** @param address may be of a process that has ended. */
export function linkTo(runtime: SeenRuntime, address: Address): ProcessLink {
  const info = runtime.processInfo(address);
  if (info === undefined) return { address, pid: null, kind: null, state: null };
  return { address, pid: info.pid, kind: kindOf(info), state: stateText(info.state) };
}

/** @returns null when it is no supervisor. */
export function standingOf(runtime: SeenRuntime, process: Address, nowMs: number): SupervisionView | null {
  const table = runtime.tableOf(process, 'children');
  if (!(table instanceof SupervisionTable)) return null;
  const { strategy, maxRestarts, maxSeconds, used } = table.standing(nowMs);
  return { strategy, intensity: { maxRestarts, maxSeconds, used, left: Math.max(0, maxRestarts - used) } satisfies IntensityView };
}

/** The newest first. */
function recordedOf(recorder: Recorder, pid: Pid): { readonly transitions: TransitionView[]; readonly events: MessageView[] } {
  const transitions: TransitionView[] = [];
  const events: MessageView[] = [];
  for (const record of recorder.newestFirst()) {
    if (transitions.length >= TRANSITIONS_MAX && events.length >= EVENTS_MAX) break;
    if (!concerns(record, pid)) continue;
    if (record.type === 'transition' && transitions.length < TRANSITIONS_MAX) transitions.push(transitionView(record, recorder));
    if (record.type === 'deliver' && record.to === pid && events.length < EVENTS_MAX) events.push(messageView(record, recorder));
  }
  return { transitions, events };
}

/** From the root down. */
function ancestorsOf(runtime: SeenRuntime, { parent }: ProcessInfo): readonly ProcessLink[] {
  const ancestors: ProcessLink[] = [];
  for (let next = parent && runtime.processInfo(parent); next !== undefined; next = next.parent && runtime.processInfo(next.parent)) {
    ancestors.unshift({ address: next.pid, pid: next.pid, kind: kindOf(next), state: stateText(next.state) });
  }
  return ancestors;
}

function childCountOf(runtime: SeenRuntime, pid: Pid): number {
  const table = runtime.tableOf(pid, 'children');
  return table instanceof SupervisionTable ? table.rows.activeCount : 0;
}

/** By the names that `shape-processes.ts` gives them. */
function shapeOf(names: readonly string[]): string | null {
  for (const name of names) {
    const handle = /^@(?:consumer|materializer)\/([^/]+)/.exec(name)?.[1];
    if (handle !== undefined) return handle;
  }
  return null;
}
