/**
 * The seam to xstate: every part of it that is not public, in one file, pinned by `test/otp/xstate-contract.test.ts`.
 *
 * xstate delivers at once and depth-first. All its deliveries pass one method of the actor system, `_relay`; we take
 * that method over, so that a message waits in our mailboxes and the old method does what is left: the delivery.
 */
import {
  assign, createActor, fromTransition, type AnyActorRef, type AnyActorScope, type AnyEventObject, type AnyMachineSnapshot,
  type AnyStateMachine, type AnyTransitionDefinition, type InspectionEvent,
} from 'xstate';
import { invariant } from '../../base/invariant.ts';

export type Relay = (source: AnyActorRef | undefined, target: AnyActorRef, event: { type: string }) => void;

interface InternalSystem {
  _relay: Relay;
  _sendInspectionEvent(event: object): void;
  inspect(observer: (event: InspectionEvent) => void): { unsubscribe(): void };
}

interface StoppableActor {
  _stop(): void;
}

interface SelectingMachine {
  getTransitionData(snapshot: unknown, event: { type: string }): readonly AnyTransitionDefinition[];
}

/** How a machine goes on. xstate has it as fields of its own of each machine. */
export interface Logic {
  transition(snapshot: AnyMachineSnapshot, event: AnyEventObject, scope: AnyActorScope): AnyMachineSnapshot;
  getInitialSnapshot(scope: AnyActorScope, input: unknown): AnyMachineSnapshot;
}

export interface ActorSystem {
  /** Parent of the roots: it shows as the top of the tree in an inspector, and does nothing. */
  readonly node: AnyActorRef;
  /** Hands `event` to `target` now. */
  readonly deliver: Relay;
  inspect(observer: (event: InspectionEvent) => void): () => void;
}

/** @param intercept gets what xstate would have delivered itself: by `sendTo`, `sendParent`, or `send` on a reference. */
export function createActorSystem(intercept: (deliver: Relay, ...delivery: Parameters<Relay>) => void): ActorSystem {
  const node: AnyActorRef = createActor(inert, { id: 'node' });
  const system = node.system as unknown as InternalSystem;
  const deliver = system._relay;
  node.start();
  system._relay = (source, target, event) => intercept(deliver, source, target, event);
  return {
    node,
    deliver,
    inspect(observer) {
      const subscription = system.inspect(observer);
      return () => subscription.unsubscribe();
    },
  };
}

/** Logic that takes every event and does nothing: for what must be visible to an inspector without being a machine. */
export const inert = fromTransition((state: null) => state, null);

/** Whether this is a state machine, and not another kind of logic or something else altogether. */
export function isMachine(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'getTransitionData' in value;
}

/** Ends an actor of any depth. xstate runs no exit action and tells nobody: that is up to us. */
export function stopActor(actor: AnyActorRef): void {
  (actor as unknown as StoppableActor)._stop();
}

const watchedMachines = new WeakSet<AnyStateMachine>();
let eventWithoutTransition: unknown;

/**
 * Makes `foundNoTransition` know when a machine had no transition for an event, which xstate drops without a word. What
 * `getTransitionData` answers stays the same, so whoever else asks the machine (a model checker, `can`) sees no difference.
 */
export function watchSelection(machine: AnyStateMachine): void {
  if (watchedMachines.has(machine)) return;
  watchedMachines.add(machine);
  const selecting = machine as unknown as SelectingMachine;
  const select = selecting.getTransitionData;
  selecting.getTransitionData = (snapshot, event) => {
    const transitions = select.call(machine, snapshot, event);
    if (transitions.length === 0) eventWithoutTransition = event;
    return transitions;
  };
}

/** Has `machine` go on as `make` says, which is given xstate's own way. */
export function replaceLogic(machine: AnyStateMachine, make: (whole: Logic, missed: (event: object) => void) => Logic): void {
  const { transition, getInitialSnapshot } = machine as Logic;
  const logic = make({ transition, getInitialSnapshot }, (event) => void (eventWithoutTransition = event));
  Object.assign(machine, {
    transition: (...given: Parameters<Logic['transition']>) => logic.transition(...given),
    getInitialSnapshot: (...given: Parameters<Logic['getInitialSnapshot']>) => logic.getInitialSnapshot(...given),
  });
}

export const INIT = 'xstate.init';
export const STOP = 'xstate.stop';

/** Names every event in a chart; xstate refuses an event of that name. */
export const WILDCARD = '*';

export type Custom = (...given: readonly unknown[]) => unknown;

/** An action or a guard that is a plain function, and none that xstate resolves. */
export function isCustom(part: unknown): part is Custom {
  return typeof part === 'function' && !('resolve' in part) && !('check' in part);
}

export type Assignment = ((args: object, params: unknown) => object) | Readonly<Record<string, unknown>>;

/** What an `assign` was given; undefined for any other action. */
export function assignmentOf(action: unknown): Assignment | undefined {
  if (typeof action !== 'function' || !('assignment' in action)) return undefined;
  return action.assignment as Assignment;
}

export type Spawn = (...given: readonly unknown[]) => AnyActorRef;

/** What an `assign` gives its assigner to make actors with. @param spawned told of each. */
export function spawnerOf(
  snapshot: AnyMachineSnapshot,
  event: AnyEventObject,
  scope: AnyActorScope,
  spawned: (child: AnyActorRef) => void,
): Spawn {
  let own: Spawn | undefined;
  const take = assign(({ spawn }) => {
    own = spawn as unknown as Spawn;
    return {};
  }) as unknown as { resolve(...given: readonly unknown[]): unknown };
  take.resolve(scope, snapshot, { context: snapshot.context as unknown, event }, undefined, take);
  return (...given) => {
    invariant(own !== undefined, 'an assign is given the means to spawn');
    const child = own(...given);
    spawned(child);
    return child;
  };
}

/** As xstate tells inspectors of each step. */
export function tellMicrostep(
  { self, system }: AnyActorScope,
  event: AnyEventObject,
  snapshot: AnyMachineSnapshot,
  transitions: readonly unknown[],
): void {
  (system as unknown as InternalSystem)._sendInspectionEvent({
    type: '@xstate.microstep', actorRef: self as unknown, event, snapshot, _transitions: transitions,
  });
}

/** @returns whether the last delivery of `event` found no transition; asking forgets it. */
export function foundNoTransition(event: object): boolean {
  const missed = eventWithoutTransition === event;
  eventWithoutTransition = undefined;
  return missed;
}
