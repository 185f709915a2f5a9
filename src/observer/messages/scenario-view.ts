/**
 * ScenarioView: a window of the recording as a file, which `npm run replay` gives to the machines of the service again.
 *
 * A machine is a function: where it stands and what it is given decide what it becomes and what it asks for. So the file has where
 * each machine stood and every event that it was given, whole; with that its turns can be taken again by the same definition, without
 * the disk, Postgres and the clients, whose answers are events too. What cannot be written as JSON is named, and not replayed.
 */
import type { Message, Pid } from '../../otp/process.ts';
import type { Runtime } from '../../otp/runtime.ts';
import { isPlainJson } from '../plain-json.ts';
import type { SeenRuntime } from '../processes/process-view.ts';
import type { Recorder } from '../recording/recorder.ts';
import type { LaneView } from '../views/messages.ts';
import type { ScenarioRole, ScenarioTurn, ScenarioView, SentView, StandingView, TurnOutcome } from '../views/scenario.ts';
import { lanesFor, windowOf, type MessagesAsked } from './messages-view.ts';
import { windowTurns, type Made, type Taker, type Turn, type WindowTurns } from './window-turns.ts';

export interface ScenarioAsked extends Pick<MessagesAsked, 'fromMs' | 'toMs' | 'processes'> {
  readonly turnsMax: number;
}

type StandingRuntime = Pick<Runtime, 'standing'>;

const NOTES = [
  '`npm run replay -- FILE` gives each machine its turns again, from where it stood, in the order in which they were taken, and ' +
    'compares: the states that it becomes, the messages that it asks to send, and where it stands at the end.',
  'What is taken from the record and not made again: what ports answered (Postgres, the disk, the clients), what tables told their ' +
    'processes, when time-outs came, and who was killed. How long anything took is not replayed.',
];

export function scenarioView(
  version: string,
  runtime: SeenRuntime & StandingRuntime,
  recorder: Recorder,
  { turnsMax, ...asked }: ScenarioAsked,
  nowMs: number,
): ScenarioView {
  const { fromMs, toMs, onClock, pids } = windowOf(runtime, recorder, asked, nowMs);
  const window = windowTurns(recorder.records(), { ...onClock, pids, turnsMax });
  const lanes = lanesFor(runtime, participantsOf(window), recorder);
  const role = rolesOf(lanes);
  const cut = window.left === 0 ? [] : [`The window holds ${window.left} older turns that are not in this file.`];
  return {
    format: 'armature.window/2',
    version, fromMs, toMs,
    notes: [...NOTES, ...cut],
    roles: rolesView(lanes, role, window, runtime),
    turns: turnViews(window.turns, role),
  };
}

function participantsOf({ turns }: WindowTurns): ReadonlySet<string> {
  return new Set(turns.flatMap((turn) => [
    ...(turn.type === 'deliver' ? [turn.from] : []),
    turn.pid,
    ...('made' in turn ? turn.made.sends.map(({ to }) => to) : []),
  ]));
}

/** By name where there is one, else by kind; numbered where several have the same. */
function rolesOf(lanes: readonly LaneView[]): (pid: string) => string {
  const roles = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const { pid, kind, name } of lanes) {
    const base = name ?? kind ?? idOf(pid);
    const count = (counts.get(base) ?? 0) + 1;
    counts.set(base, count);
    roles.set(pid, count === 1 ? base : `${base}#${count}`);
  }
  return (pid) => roles.get(pid) ?? pid;
}

/** What is no process has no number. */
function idOf(pid: string): string {
  const id = pid.slice(pid.lastIndexOf('/') + 1);
  return id.includes('#') ? id.slice(0, id.lastIndexOf('#')) : id;
}

function rolesView(
  lanes: readonly LaneView[],
  role: (pid: string) => string,
  { turns, takers }: WindowTurns,
  runtime: StandingRuntime,
): readonly ScenarioRole[] {
  const unwritten = unwrittenEvents(turns);
  return lanes.map(({ pid, kind }): ScenarioRole => {
    const taker = takers.get(pid as Pid);
    const end = endOf(pid as Pid, taker, runtime);
    const whyNot = whyNotReplayed(kind, taker, end, unwritten.get(pid));
    const named = { role: role(pid), pid, kind };
    if (whyNot !== undefined) return { ...named, machine: null, whyNot, begin: null, end: null };
    return { ...named, machine: kind, whyNot: null, begin: taker?.begin ?? null, end: end ?? null };
  });
}

/** By who was given it: the first event that cannot be written. */
function unwrittenEvents(turns: readonly Turn[]): ReadonlyMap<string, string> {
  const unwritten = new Map<string, string>();
  for (const turn of turns) {
    if (turn.type !== 'deliver' || unwritten.has(turn.pid) || isPlainJson(turn.message)) continue;
    unwritten.set(turn.pid, turn.message.type);
  }
  return unwritten;
}

/** @returns undefined when nobody knows where it stands. */
function endOf(pid: Pid, taker: Taker | undefined, runtime: StandingRuntime): StandingView | undefined {
  if (taker === undefined) return undefined;
  return taker.behind ?? (taker.hasEnded ? undefined : runtime.standing(pid));
}

function whyNotReplayed(
  kind: string | null,
  taker: Taker | undefined,
  end: StandingView | undefined,
  unwritten: string | undefined,
): string | undefined {
  if (taker === undefined) return 'Of what it was given nothing is in the window.';
  if (taker.begin === undefined) return 'It is a port, and no machine: what it answers is taken from the record.';
  if (kind === null) return 'It has ended, and nobody recorded which machine it was.';
  if (!isPlainJson(taker.begin) || !isPlainJson(end ?? null)) return 'What it stands on cannot be written as JSON.';
  return unwritten === undefined ? undefined : `An event '${unwritten}' cannot be written as JSON.`;
}

function turnViews(turns: readonly Turn[], role: (pid: string) => string): readonly ScenarioTurn[] {
  const sendings = new Sendings();
  return turns.map((turn, index) => {
    const view = turnView(turn, role, sendings);
    if ('made' in turn) sendings.add(turn.made, index);
    return view;
  });
}

function turnView(turn: Turn, role: (pid: string) => string, sendings: Sendings): ScenarioTurn {
  const who = role(turn.pid);
  if (turn.type === 'end') return turn.reason === 'killed' ? { kill: who } : { end: who, reason: withoutStack(turn.reason) };
  if (turn.type === 'begin') return { begin: who, ...outcomeOf(turn.made, role) };
  const { type, ...fields } = turn.message;
  const event = written(fields);
  const timeout = /^timeout\.(.+)$/.exec(type)?.[1];
  if (timeout !== undefined && turn.from === turn.pid) return { timeout, role: who, event, ...outcomeOf(turn.made, role) };
  const sentIn = sendings.take(turn.message, turn.pid);
  return {
    deliver: type, from: role(turn.from), to: who, event,
    ...(sentIn === undefined ? {} : { sentIn }),
    ...outcomeOf(turn.made, role),
  };
}

function outcomeOf({ becomes, sends }: Made, role: (pid: string) => string): TurnOutcome {
  return {
    ...(becomes === undefined ? {} : { becomes: becomes.value }),
    ...(sends.length === 0 ? {} : { sends: sends.map(({ to, message }) => sentView(role(to), message)) }),
  };
}

function sentView(to: string, { type, ...fields }: Message): SentView {
  return { send: type, to, event: written(fields) };
}

/** Who gets what cannot be written is not replayed. */
function written(fields: object): unknown {
  return isPlainJson(fields) ? fields : { '…': 'not plain JSON' };
}

/** Files of the machine on which it ran are nobody's affair, and no part of a reason. */
function withoutStack(reason: Extract<Turn, { type: 'end' }>['reason']): unknown {
  if (typeof reason === 'string' || !('error' in reason)) return reason;
  const { name, message } = reason.error;
  return { error: { name, message } };
}

/** Which turn has sent what: a message is the same object where it is sent and where it is delivered. */
class Sendings {
  private readonly open = new Map<Message, { readonly to: string; readonly turn: number }[]>();

  add({ sends }: Made, turn: number): void {
    for (const { to, message } of sends) {
      const known = this.open.get(message);
      if (known === undefined) this.open.set(message, [{ to, turn }]);
      else known.push({ to, turn });
    }
  }

  take(message: Message, to: string): number | undefined {
    const known = this.open.get(message) ?? [];
    const index = known.findIndex((sending) => sending.to === to);
    return index < 0 ? undefined : known.splice(index, 1)[0]?.turn;
  }
}
