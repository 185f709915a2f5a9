/**
 * ScenarioView: a window of the recording as a file, for whoever wants to look at it later, or to make a test of it.
 *
 * Its turns have the form of those in `test/scenarios`: who was given what by whom, which time-outs came, who was killed. What stands
 * there for Postgres, the disk and the clients is small; a whole service cannot be put back to where the window begins. So the
 * file says what it is good for and what it is not.
 */
import type { LaneView, SequenceStep } from '../views/messages.ts';
import type { ScenarioTurn, ScenarioView } from '../views/scenario.ts';

export interface ScenarioParts {
  readonly version: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly steps: readonly SequenceStep[];
  /** Older steps that were left out. */
  readonly left: number;
  readonly lanes: readonly LaneView[];
}

const NOTES = [
  'The turns are in the order in which they were taken; each names the event, who sent it and who got it, as test/scenarios does.',
  'A test in test/scenarios runs the machines of one system (a hand-over, a splice, the handles) over small stand-ins: to replay a ' +
    'window there, choose the turns of its roles, name the system and its bounds, and say which property does not hold at the end.',
  'What cannot be replayed from this file: the answers of ports (Postgres, the disk, the clients), whose content is not recorded; the ' +
    'state in which the processes were when the window began; and how long anything took.',
];

export function scenarioView({ version, fromMs, toMs, steps, left, lanes }: ScenarioParts): ScenarioView {
  const roles = rolesOf(lanes);
  const cut = left === 0 ? [] : [`The window holds ${left} older steps that are not in this file.`];
  return {
    format: 'armature.window/1',
    version, fromMs, toMs,
    notes: [...NOTES, ...cut],
    roles: lanes.map(({ pid, kind }) => ({ role: roles(pid), pid, kind })),
    turns: turnsOf(steps, roles),
    steps,
  };
}

/** By name where there is one, else by kind; numbered where several have the same. */
function rolesOf(lanes: readonly LaneView[]): (pid: string) => string {
  const roles = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { pid, kind, name } of lanes) {
    const base = name ?? kind ?? pid.slice(pid.lastIndexOf('/') + 1, pid.lastIndexOf('#'));
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    roles.set(pid, count === 1 ? base : `${base}#${count}`);
  }
  return (pid) => roles.get(pid) ?? pid;
}

/** In the order of delivery: what was never delivered is no turn. */
function turnsOf(steps: readonly SequenceStep[], role: (pid: string) => string): readonly ScenarioTurn[] {
  const turns = steps.flatMap((step): readonly { readonly n: number; readonly turn: ScenarioTurn }[] => {
    if (step.step === 'exit' && step.text === 'killed') return [{ n: step.n, turn: { kill: role(step.pid) } }];
    if (step.step !== 'message' || step.deliveredN === null) return [];
    const timeout = /^timeout\.(.+)$/.exec(step.type)?.[1];
    if (timeout !== undefined && step.from === step.to) return [{ n: step.deliveredN, turn: { timeout, role: role(step.to) } }];
    return [{ n: step.deliveredN, turn: { deliver: step.type, from: role(step.from), to: role(step.to) } }];
  });
  return turns.sort((one, other) => one.n - other.n).map(({ turn }) => turn);
}
