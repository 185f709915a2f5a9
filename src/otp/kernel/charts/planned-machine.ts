/**
 * PlannedMachine: takes the transitions of a machine by what its chart has worked out once (`Configuration`), with the same outcome as
 * xstate: the same actions in the same order, with the same parameters, and the same snapshot.
 *
 * Only machines that are made of what processes are made of: states, guards, named actions and `assign`. One with what else there is in
 * xstate (history, invoked actors, delays, raised events, ends inside the chart) goes xstate's own way in everything. So does an event of
 * xstate's own, one that xstate refuses, and a snapshot that is not active or holds actors.
 */
import type { AnyActorScope, AnyEventObject, AnyMachineSnapshot, AnyStateMachine, AnyStateNode } from 'xstate';
import { childrenOf, type Transition } from './chart-sets.ts';
import { Chart, type Candidate, type Candidates, type Configuration, type Eventless, type Step } from './configuration.ts';
import { ActionRun } from './action-run.ts';
import { actionIn, guardIn, paramsOf, type Given } from './named-parts.ts';
import { INIT, replaceLogic, STOP, tellMicrostep, watchSelection, WILDCARD, type Logic } from '../xstate-seam.ts';

const planned = new WeakSet<AnyStateMachine>();

/** From now on `machine` goes by plans, wherever it is used, if it can; and in any case it is known when an event finds no transition. */
export function planTransitions(machine: AnyStateMachine): void {
  if (planned.has(machine)) return;
  planned.add(machine);
  watchSelection(machine);
  if (isPlannable(machine)) replaceLogic(machine, (whole, missed) => new PlannedMachine(machine, whole, missed));
}

/** It is made of nothing else than what can be planned. */
export function isPlannable(machine: AnyStateMachine): boolean {
  return machine.options.maxIterations === Infinity && isPlain(machine, machine.root);
}

class PlannedMachine implements Logic {
  private readonly chart: Chart;
  private initialForm: AnyMachineSnapshot | undefined;

  constructor(
    private readonly machine: AnyStateMachine,
    private readonly whole: Logic,
    private readonly missed: (event: object) => void,
  ) {
    this.chart = new Chart(machine);
  }

  transition(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): AnyMachineSnapshot {
    if (snapshot.status !== 'active' || hasAny(snapshot.children)) return this.whole.transition(snapshot, event, scope);
    if (event.type === STOP) return told({ ...snapshot, status: 'stopped' } as AnyMachineSnapshot, [], event, scope);
    if (event.type.startsWith('xstate.') || event.type === WILDCARD) return this.whole.transition(snapshot, event, scope);
    const configuration = this.chart.configurationOf(snapshot._nodes);
    const chosen = this.chosen(configuration, snapshot, event);
    if (chosen.length === 0) this.missed(event);
    const after = chosen.length === 0 ? snapshot : microstep(snapshot, configuration, configuration.step(chosen), event, scope);
    return this.settled(told(after, chosen, event, scope), event, scope);
  }

  getInitialSnapshot(scope: AnyActorScope, input: unknown): AnyMachineSnapshot {
    const event = { type: INIT, input };
    const { initial, root } = this.chart;
    const before = { ...this.form(), _nodes: [root], tags: new Set(root.tags) };
    try {
      const { context } = this.machine.config;
      const run = new ActionRun({ ...before, context: typeof context === 'function' ? {} : (context ?? {}) }, event, scope, input);
      if (typeof context === 'function') run.begin(context);
      before.context = run.context;
      before.children = run.children;
      return this.settled(stepped(before, undefined, initial, run), event, scope);
    } catch (error) {
      return { ...before, status: 'error', error } as AnyMachineSnapshot;
    }
  }

  /** Of the chart's beginning, as xstate makes it. */
  private form(): AnyMachineSnapshot {
    if (this.initialForm !== undefined) return this.initialForm;
    const made = this.machine.resolveState({ value: {}, context: {} }) as AnyMachineSnapshot;
    return (this.initialForm = { ...made, status: 'active', output: undefined, error: undefined } as AnyMachineSnapshot);
  }

  private chosen(configuration: Configuration, snapshot: AnyMachineSnapshot, event: AnyEventObject): readonly Transition[] {
    const candidates = configuration.candidates(event.type);
    if (candidates === undefined) return NONE;
    try {
      return chosenFrom(candidates, { context: snapshot.context as unknown, event });
    } catch (thrown) {
      this.machine.getTransitionData(snapshot, event); // A guard has thrown: xstate says which.
      throw thrown; // Asked again, it did not throw. The actor has failed all the same.
    }
  }

  /** Behind the transitions that need no event. */
  private settled(begun: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): AnyMachineSnapshot {
    let at = begun;
    while (at.status === 'active') {
      const configuration = this.chart.configurationOf(at._nodes);
      const chosen = chosenEventless(configuration.eventless, at.context, event);
      if (chosen.length === 0) return at;
      const step = configuration.step(chosen);
      const next = told(microstep(at, configuration, step, event, scope), step.transitions, event, scope);
      if (next === at) return at;
      at = next;
    }
    return at;
  }
}

function microstep(
  from: AnyMachineSnapshot,
  configuration: Configuration,
  step: Step,
  event: AnyEventObject,
  scope: AnyActorScope,
): AnyMachineSnapshot {
  return stepped(from, configuration, step, new ActionRun(from, event, scope));
}

/** @param configuration that of `from`; undefined where nothing was active. */
function stepped(from: AnyMachineSnapshot, configuration: Configuration | undefined, step: Step, run: ActionRun): AnyMachineSnapshot {
  run.perform(step.actions);
  const { next, end } = step;
  if (end === undefined) {
    const isSame = next === configuration && run.context === from.context && run.children === from.children;
    return isSame ? from : snapshotAfter(from, next, run, 'active', undefined);
  }
  const output = run.outputOf(end.node);
  run.perform(end.exits);
  run.stopChildren();
  return snapshotAfter(from, next, run, 'done', output);
}

/** One literal, so that all snapshots share one hidden class of the engine. */
function snapshotAfter(
  { machine, historyValue, matches, hasTag, can, getMeta, toJSON }: AnyMachineSnapshot,
  { nodes: _nodes, value, tags }: Configuration,
  run: ActionRun,
  status: 'active' | 'done',
  output: unknown,
): AnyMachineSnapshot {
  return {
    status, output, error: undefined, machine, context: run.context, _nodes, value, tags, children: run.children, historyValue,
    matches, hasTag, can, getMeta, toJSON,
  } as AnyMachineSnapshot;
}

function told(
  snapshot: AnyMachineSnapshot,
  transitions: readonly Transition[],
  event: AnyEventObject,
  scope: AnyActorScope,
): AnyMachineSnapshot {
  tellMicrostep(scope, event, snapshot, transitions);
  return snapshot;
}

const NONE: readonly Transition[] = [];

function chosenFrom({ regions, own }: Candidates, given: Given): readonly Transition[] {
  const [only] = regions;
  if (only !== undefined) {
    const below = regions.length === 1 ? chosenFrom(only, given) : regions.flatMap((region) => chosenFrom(region, given));
    if (below.length > 0) return below;
  }
  const first = firstOf(own, given);
  return first === undefined ? NONE : [first];
}

function chosenEventless(eventless: Eventless, context: unknown, event: AnyEventObject): readonly Transition[] {
  if (eventless.length === 0) return NONE;
  const given = { context, event };
  const chosen = new Set<Transition>();
  for (const candidates of eventless) {
    const first = firstOf(candidates, given);
    if (first !== undefined) chosen.add(first);
  }
  return [...chosen];
}

function firstOf(candidates: readonly Candidate[], given: Given): Transition | undefined {
  for (const { transition, guard } of candidates) {
    if (guard === undefined || Boolean(guard.claim(given, paramsOf(guard.params, given)))) return transition;
  }
  return undefined;
}

function hasAny(children: object): boolean {
  for (const id in children) if (Object.hasOwn(children, id)) return true;
  return false;
}

function isPlain(machine: AnyStateMachine, node: AnyStateNode): boolean {
  const { type, invoke, after, output, parent } = node;
  const { root } = machine;
  if (type === 'history' || invoke.length > 0 || after.length > 0) return false;
  if (type === 'final' && (parent !== root || root.type !== 'compound' || output !== undefined)) return false;
  const transitions = [...node.transitions.values(), node.always ?? []].flat();
  const actions = [...node.entry, ...node.exit, ...node.initial.actions, ...transitions.flatMap((transition) => [...transition.actions])];
  return (
    actions.every((action) => actionIn(machine, action) !== undefined) &&
    transitions.every(({ guard }) => guard === undefined || guardIn(machine, guard) !== undefined) &&
    childrenOf(node).every((child) => isPlain(machine, child))
  );
}
