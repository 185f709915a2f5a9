/**
 * Which answer to a call of its own, or which timer, could crash a machine? Walks over its states together with the calls that are open
 * in each: a call stays open until it is answered, wherever the machine has gone in the meantime. A timer is one that is answered once,
 * unless it is cancelled.
 */
import { initialTransition, transition, type AnyMachineSnapshot, type AnyStateMachine } from 'xstate';
import type { Message } from '../../src/otp/process.ts';
import type { WalkedMachine } from './transition-coverage.ts';

/** By request, and by table or `table.change`: the events with which it can be answered. */
export type Answers = Readonly<Record<string, readonly string[]>>;

/** What a call can become, by its name among the open ones, and how often it is open; more than twice is like twice. */
type OpenCalls = Readonly<Record<string, { readonly to: string; readonly answers: readonly string[]; readonly count: number }>>;

interface Around {
  readonly open: OpenCalls;
  /** By the name of the monitor: whose death it tells, also to calls. */
  readonly monitored: Readonly<Record<string, string>>;
  /** With what a table may answer now: its answer is the very next event, or there is none. */
  readonly tableAnswers: readonly string[];
  /** Whoever has answered was there: no later monitor finds nobody. */
  readonly wasAnswered: boolean;
}

interface Place extends Around {
  readonly snapshot: AnyMachineSnapshot;
}

interface Performed {
  readonly type: string;
  readonly params?: unknown;
}

type Step = readonly [AnyMachineSnapshot, readonly Performed[]];

/** Of an action `call`, `multicall`, `cancel`, `monitor` or `apply`, by the names of their parameters. */
interface Params {
  readonly to?: string;
  readonly process?: string;
  readonly request?: Message;
  readonly as?: string;
  readonly table?: string;
  readonly change?: string | object;
  readonly name?: string;
}

const PLACES_MAX = 20_000;
const COUNT_MAX = 2;
const NOTHING_AROUND: Around = { open: {}, monitored: {}, tableAnswers: [], wasAnswered: false };

/** @returns `state ← answer` for each answer that no transition takes where it can arrive. */
export function unhandledReplies(
  { machine, inputs, events }: Pick<WalkedMachine, 'machine' | 'inputs' | 'events'>,
  answers: Answers,
): readonly string[] {
  const unhandled = new Set<string>();
  const seen = new Set<string>();
  const walk = new Walk(machine, answers);
  const ahead = inputs.map((input) => walk.begin(input));
  const sampleOf = (type: string): Message => events.find((event) => event.type === type) ?? { type };
  for (let place = ahead.pop(); place !== undefined; place = ahead.pop()) {
    const key = keyOf(place);
    if (seen.has(key) || place.snapshot.status !== 'active') continue;
    seen.add(key);
    if (seen.size > PLACES_MAX) throw new RangeError(`${machine.id} has more than ${PLACES_MAX} states with calls`);
    for (const type of awaited(place)) if (!walk.isHandled(place, sampleOf(type))) unhandled.add(`${stateOf(place.snapshot)} ← ${type}`);
    for (const event of events) ahead.push(...walk.placesBehind(place, event));
  }
  return [...unhandled].sort();
}

/** Most places differ in the calls alone: what the machine does there is worked out once. */
class Walk {
  private readonly steps = new Map<string, Step | undefined>();

  constructor(
    private readonly machine: AnyStateMachine,
    private readonly answers: Answers,
  ) {}

  begin(input: object): Place {
    return placeAfter(initialTransition(this.machine, input), NOTHING_AROUND, this.answers);
  }

  isHandled({ snapshot }: Place, event: Message): boolean {
    return this.machine.getTransitionData(snapshot, event).length > 0;
  }

  placesBehind(place: Place, event: Message): readonly Place[] {
    const around = aroundBehind(place, event, this.answers);
    const next = around.length === 0 ? undefined : this.step(place, event);
    return next === undefined ? [] : around.map((one) => placeAfter(next, one, this.answers));
  }

  /** @returns undefined for an event that nobody takes or that breaks a claim: no way goes on from there. */
  private step(place: Place, event: Message): Step | undefined {
    const { snapshot: { value, context } } = place;
    const key = JSON.stringify([value, context, event], withoutDelays);
    if (!this.steps.has(key)) this.steps.set(key, this.isHandled(place, event) ? stepOf(this.machine, place.snapshot, event) : undefined);
    return this.steps.get(key);
  }
}

function keyOf({ snapshot: { value, context }, ...around }: Place): string {
  return JSON.stringify([value, context, around], withoutDelays);
}

/** How long a machine waits decides nothing about what it takes. */
function withoutDelays(field: string, value: unknown): unknown {
  return field.endsWith('Ms') ? undefined : value;
}

/** Whose answer was it? Any of those that can be answered so; an event that answers nothing can come at any time. */
function aroundBehind(place: Place, { type, reason }: Message, answers: Answers): readonly Around[] {
  const { open, monitored } = place;
  if (place.tableAnswers.includes(type)) return [place];
  const dead = monitored[type.replace(/\.down$/, '')];
  if (type.endsWith('.down') && dead !== undefined) {
    return reason === 'noproc' && place.wasAnswered ? [] : [{ ...place, open: without(open, dead) }];
  }
  const askers = Object.keys(open).filter((name) => open[name]?.answers.includes(type));
  if (askers.length > 0) {
    return askers.map((name) => ({ ...place, open: withCount(open, name, -1), wasAnswered: place.wasAnswered || !isTimer(name) }));
  }
  const isAnswer = /\.(?:failed|done)$|^timeout\./.test(type) || Object.values(answers).some((types) => types.includes(type));
  return isAnswer ? [] : [place];
}

/** A call ends with the process that it was made to. */
function without(open: OpenCalls, dead: string): OpenCalls {
  return Object.fromEntries(Object.entries(open).filter(([, { to }]) => to !== dead));
}

/** Those of this word are given up: no outcome follows. */
function withoutCalls(open: OpenCalls, as: string): OpenCalls {
  return Object.fromEntries(Object.entries(open).filter(([name]) => !name.startsWith(`${as} `)));
}

function withCount(open: OpenCalls, name: string, change: number): OpenCalls {
  const { [name]: call, ...others } = open;
  if (call === undefined || call.count + change <= 0) return others;
  return { ...others, [name]: { ...call, count: Math.min(call.count + change, COUNT_MAX) } };
}

function placeAfter([snapshot, performed]: Step, around: Around, answers: Answers): Place {
  let { open, monitored } = around;
  const tableAnswers = new Set<string>();
  for (const { type, params } of performed) {
    const { to = '', process = '', request, as = 'call', table = '', change, name = '' } = (params ?? {}) as Params;
    if (type === 'apply') for (const answer of answers[`${table}.${kindOf(change)}`] ?? answers[table] ?? []) tableAnswers.add(answer);
    if (type === 'cancel') open = withoutCalls(open, as);
    if (type === 'startTimer') open = sorted({ ...open, [timerOf(name)]: { to: '', answers: [`timeout.${name}`], count: 1 } });
    if (type === 'cancelTimer') open = withCount(open, timerOf(name), -1);
    if (type === 'monitor') monitored = { ...monitored, [as]: process };
    if (request === undefined || (type !== 'call' && type !== 'multicall')) continue;
    const call = `${as} ${request.type}`;
    const failed = Object.values(monitored).includes(to) ? [] : [`${as}.failed`];
    const types = type === 'multicall' ? [`${as}.done`] : [...answersTo(request, answers), ...failed];
    open = call in open ? withCount(open, call, 1) : sorted({ ...open, [call]: { to, answers: types, count: 1 } });
  }
  return { snapshot, open, monitored, tableAnswers: [...tableAnswers], wasAnswered: around.wasAnswered };
}

/** As the name of an open call: one of the same name is started again. */
function timerOf(name: string): string {
  return `timer ${name}`;
}

function isTimer(name: string): boolean {
  return name.startsWith(timerOf(''));
}

/** `'publish'` of `{ publish: 10 }`. */
function kindOf(change: string | object = ''): string {
  return typeof change === 'string' ? change : (Object.keys(change)[0] ?? '');
}

function answersTo({ type }: Message, answers: Answers): readonly string[] {
  const types = answers[type];
  if (types === undefined) throw new RangeError(`it is not known how '${type}' is answered`);
  return types;
}

function sorted(open: OpenCalls): OpenCalls {
  return Object.fromEntries(Object.entries(open).sort(([left], [right]) => (left < right ? -1 : 1)));
}

function awaited({ open }: Place): readonly string[] {
  return Object.values(open).flatMap(({ answers }) => answers);
}

function stepOf(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, event: Message): Step | undefined {
  try {
    return transition(machine, snapshot, event);
  } catch (error) {
    if (error instanceof Error && error.name === 'InvariantError') return undefined;
    throw error;
  }
}

function stateOf({ value }: AnyMachineSnapshot): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
