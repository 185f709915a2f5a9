/** PopulationView: all processes of a kind as one chart, with how many are in each state and what moves between them. */
import type { ProcessSummary } from '../../otp/kernel/process-summary.ts';
import type { Recorder } from '../recording/recorder.ts';
import { transitionView, type TransitionRecord } from '../recording/record-views.ts';
import { stateText } from '../state-text.ts';
import type { EdgeView, PopulationView } from '../views/populations.ts';
import { kindOf, populationsOf } from './process-rows.ts';

/** Transitions of so long are counted. */
const OVER_MS = 5_000;
const EDGES_MAX = 200;
const STATE_VALUES_MAX = 50;

/** @returns undefined when there is no process of this kind. */
export function populationView(
  processes: Iterable<ProcessSummary>,
  recorder: Recorder,
  kind: string,
  nowMs: number,
): Omit<PopulationView, 'atMs'> | undefined {
  const members: ProcessSummary[] = [];
  const stateValues = new Map<string, unknown>();
  for (const process of processes) {
    if (kindOf(process) !== kind) continue;
    members.push(process);
    if (stateValues.size < STATE_VALUES_MAX) stateValues.set(stateText(process.state), process.state);
  }
  const [population] = populationsOf(members);
  if (population === undefined) return undefined;
  const recorded = edgesOf(recorder, kind, nowMs);
  return { ...population, stateValues: Object.fromEntries(stateValues), ...recorded, recording: recorder.view() };
}

interface CountedEdge {
  readonly edge: Omit<EdgeView, 'count' | 'perSecond'>;
  count: number;
}

/** Also those of processes that have ended since. A port has no transitions. */
function edgesOf(recorder: Recorder, kind: string, nowMs: number): Pick<PopulationView, 'edges' | 'overForMs'> {
  const counts = new Map<string, CountedEdge>();
  for (const record of recorder.newestFirst()) {
    if (record.atMs < nowMs - OVER_MS) break;
    if (record.type === 'transition' && record.machine === kind) count(counts, record, recorder);
  }
  const overForMs = Math.max(1, Math.min(OVER_MS, Math.round(nowMs - recorder.beganMs)));
  const sorted = [...counts.values()].sort((one, other) => other.count - one.count).slice(0, EDGES_MAX);
  return { overForMs, edges: sorted.map(({ edge, count }) => ({ ...edge, count, perSecond: (count * 1000) / overForMs })) };
}

function count(counts: Map<string, CountedEdge>, record: TransitionRecord, recorder: Recorder): void {
  const { event, from, to } = transitionView(record, recorder);
  const key = JSON.stringify([event, from, to]);
  const known = counts.get(key) ?? { edge: { event, from, to }, count: 0 };
  known.count += 1;
  counts.set(key, known);
}
