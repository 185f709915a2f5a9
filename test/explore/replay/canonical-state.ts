/**
 * CanonicalState: a state of a system in parts, from the search or from a runtime, so that the two can be compared. What each names
 * in its own way, processes and calls, has one name here: a call is numbered by where it is named first.
 */
import type { Signal as Running } from '../../../src/otp/kernel/entry.ts';
import { KILLED_BY } from '../checker/draft.ts';
import type { GlobalState } from '../checker/global-state.ts';
import { replyToOf } from '../checker/call-ids.ts';
import { localKey, withoutStack } from '../checker/local-process.ts';
import type { Signal } from '../checker/signal.ts';
import type { System, World } from '../checker/system.ts';
import { isVoid, roleOf } from './offer.ts';
import type { SystemStage } from './system-stage.ts';

export interface CanonicalState {
  readonly world: string;
  readonly locals: Readonly<Record<string, string>>;
  /** By `from → to`, what is under way, in order. */
  readonly channels: Readonly<Record<string, readonly unknown[]>>;
}

type Channels = readonly (readonly [string, readonly unknown[]])[];

export function checkedState<Kind extends World<Kind>>({ roles, ports }: System<Kind>, state: GlobalState<Kind>): CanonicalState {
  const channels = [...roles, ...ports].flatMap(({ name }, place) =>
    state.underWayTo(place).map(({ from, signals }) => [`${from} → ${name}`, signals.map(checked)] as const),
  );
  const locals = roles.map(({ name }) => [name, localKey(state.process(name))] as const);
  return withCallsRenamed({ world: state.world.key(), locals: Object.fromEntries(locals), channels: inOrder(channels) });
}

export function runningState<Kind extends World<Kind>>({ roles }: System<Kind>, stage: SystemStage<Kind>): CanonicalState {
  const channels = new Map<string, unknown[]>();
  for (const { channel, signal } of stage.underWay) {
    const told = running(signal);
    const owner = channel.split(' → ')[1];
    if (told === undefined || owner === undefined) continue; // What is urgent for a process is a part of its own state.
    const [from, to] = [stage.nameOf(signal.source.pid), roleOf(stage.nameOf(owner))];
    const name = `${signal.kind === 'exit' ? KILLED_BY : ''}${from} → ${to}`;
    channels.set(name, [...(channels.get(name) ?? []), told]);
  }
  const locals = roles.map(({ name }) => [name, localKey(stage.process(name))] as const);
  const state = { world: stage.world.key(), locals: Object.fromEntries(locals), channels: inOrder([...channels]) };
  return withCallsRenamed(stage.pids.named(state));
}

function checked(signal: Signal): unknown {
  switch (signal.kind) {
    case 'init':
    case 'kill':
      return signal.kind;
    case 'message':
      return signal.message;
    case 'reply':
      return [replyToOf(signal.call), signal.message];
    case 'down':
      return [signal.monitor.as, signal.monitor.address, signal.reason];
    case 'callFailed':
      return [replyToOf(signal.call), signal.reason];
  }
}

/** @returns undefined for what the search does not have under way: what nobody waits for, and a time-out that is not chosen. */
function running(signal: Running): unknown {
  if (isVoid(signal)) return undefined;
  switch (signal.kind) {
    case 'init':
      return signal.kind;
    case 'exit':
      return signal.reason;
    case 'message':
    case 'news':
      return signal.message;
    case 'reply':
      return [signal.call.id, signal.message];
    case 'down': {
      const { watch } = signal;
      const reason = withoutStack(signal.reason);
      return watch.kind === 'monitor' ? [watch.as, watch.address, reason] : [watch.id, reason];
    }
    case 'callFailed':
    case 'timeout':
    case 'silence':
      return undefined;
  }
}

function inOrder(channels: Channels): CanonicalState['channels'] {
  return Object.fromEntries([...channels].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** As the search writes one, and as the runtime does. */
const CALL_ID = /call!\d+|[\w-]+#\d+!\d+/g;

function withCallsRenamed(state: CanonicalState): CanonicalState {
  const names = new Map<string, string>();
  const text = JSON.stringify(state).replace(CALL_ID, (id) => {
    const name = names.get(id) ?? `call ${names.size + 1}`;
    names.set(id, name);
    return name;
  });
  return JSON.parse(text) as CanonicalState;
}
