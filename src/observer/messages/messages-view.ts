/** MessagesView: a window of the recording as a sequence diagram, with the way of one transaction if it is asked for. */
import type { Address } from '../../otp/process.ts';
import { kindOf } from '../processes/process-rows.ts';
import { linkTo, type SeenRuntime } from '../processes/process-view.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { LaneView, MessagesView, SequenceStep } from '../views/messages.ts';
import { sequenceOf } from './sequence.ts';
import { transactionWay, type TransactionAsked } from './transaction-way.ts';

export interface MessagesAsked extends TransactionAsked {
  /** Milliseconds since 1970; undefined for all that is recorded. */
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  /** Pids or names. */
  readonly processes: readonly string[];
  readonly stepsMax: number;
}

export function messagesView(
  runtime: SeenRuntime,
  recorder: Recorder,
  asked: MessagesAsked,
  nowMs: number,
): Omit<MessagesView, 'atMs'> {
  const { fromMs, toMs, ...window } = windowOf(runtime, recorder, asked, nowMs);
  const isAsked = asked.xid !== undefined || asked.lsn !== undefined;
  const way = isAsked ? transactionWay(recorder, asked) : undefined;
  const among = { ...window.onClock, pids: window.pids, stepsMax: asked.stepsMax };
  const { steps, left } = sequenceOf(recorder, among, (record) => way?.isPinned(record) ?? false);
  const lanes = lanesOf(runtime, steps, recorder);
  return { fromMs, toMs, lanes, steps, left, transaction: way?.view ?? null, recording: recorder.view() };
}

/** The window that is asked for, by the wall's clock and by ours, and the pids of the processes that are named. */
export function windowOf(
  runtime: SeenRuntime,
  recorder: Recorder,
  asked: Pick<MessagesAsked, 'fromMs' | 'toMs' | 'processes'>,
  nowMs: number,
) {
  const toMs = asked.toMs ?? recorder.epochMs(nowMs);
  const fromMs = asked.fromMs ?? recorder.view().fromMs ?? toMs;
  const shiftMs = nowMs - recorder.epochMs(nowMs);
  return {
    fromMs, toMs,
    onClock: { fromMs: fromMs + shiftMs - 0.01, toMs: toMs + shiftMs + 0.01 },
    pids: asked.processes.map((process) => runtime.processInfo(process as Address)?.pid ?? process),
  };
}

/** In the order of their first step. */
function lanesOf(runtime: SeenRuntime, steps: readonly SequenceStep[], recorder: Recorder): readonly LaneView[] {
  return lanesFor(runtime, new Set(steps.flatMap((step) => (step.step === 'message' ? [step.from, step.to] : [step.pid]))), recorder);
}

/** Of one that has ended its kind is known by its transitions. */
export function lanesFor(runtime: SeenRuntime, pids: Iterable<string>, recorder: Recorder): readonly LaneView[] {
  const lanes = Array.from(pids, (pid) => lane(runtime, pid));
  return lanes.every(({ kind }) => kind !== null) ? lanes : withKinds(lanes, recorder);
}

function lane(runtime: SeenRuntime, pid: string): LaneView {
  const info = runtime.processInfo(pid as Address);
  if (info === undefined) return { pid, kind: null, name: null, state: null };
  return { pid, kind: kindOf(info), name: info.name ?? null, state: linkTo(runtime, info.pid).state };
}

function withKinds(lanes: readonly LaneView[], recorder: Recorder): readonly LaneView[] {
  const machines = new Map<string, string>();
  for (const record of recorder.records()) if (record.type === 'transition') machines.set(record.process, record.machine);
  return lanes.map((lane) => ({ ...lane, kind: lane.kind ?? machines.get(lane.pid) ?? null }));
}
