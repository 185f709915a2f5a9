/** Moves: what may come next in a state, in a fixed order. First what is under way, then what happens from outside. */
import { Draft, KILLED_BY } from './draft.ts';
import type { Evaluator } from './evaluator.ts';
import type { GlobalState } from './global-state.ts';
import type { Group } from './ledger.ts';
import type { Channel } from './signal.ts';
import type { Happening, System, World } from './system.ts';

export type Move<Kind> =
  | { readonly type: 'goOn'; readonly role: number }
  | { readonly type: 'deliver'; readonly place: number; readonly channel: Channel }
  | { readonly type: 'happen'; readonly happening: Happening<Kind> }
  | { readonly type: 'kill'; readonly role: number }
  | { readonly type: 'timeout'; readonly role: number; readonly name: string }
  | { readonly type: 'silence'; readonly role: number; readonly group: Group };

/** Where the search begins. */
export function opened<Kind extends World<Kind>>(system: System<Kind>, parts: Evaluator<Kind>): Draft<Kind> {
  const draft = Draft.first(system, parts);
  for (const happening of system.opening ?? []) {
    calm(system, draft);
    draft.happen(happening);
    calm(system, draft);
  }
  return draft;
}

function calm<Kind extends World<Kind>>(system: System<Kind>, draft: Draft<Kind>): void {
  for (let [move] = movesOf(system, draft); move !== undefined && isUnderWay(move); [move] = movesOf(system, draft)) {
    make(system, draft, move);
  }
}

/** @param isPrompt what is taken at once comes first: then nobody is killed where that makes no difference. */
export function movesOf<Kind extends World<Kind>>(
  system: System<Kind>,
  state: GlobalState<Kind>,
  happenings = system.happenings(state),
  isPrompt = false,
): readonly Move<Kind>[] {
  const moves: Move<Kind>[] = [];
  const places = system.roles.length + system.ports.length;
  for (let place = 0; place < places; place += 1) addDeliveries(moves, state, place, place < system.roles.length);
  for (const happening of happenings) moves.push({ type: 'happen', happening });
  const { kills, timeouts } = state.fate;
  if (kills > 0 || timeouts > 0) {
    system.roles.forEach((_, role) => {
      if (kills > 0 && isVictim(system, state, role, isPrompt)) moves.push({ type: 'kill', role });
      if (timeouts > 0) addTimeouts(moves, state, role);
    });
  }
  return moves;
}

function isVictim<Kind extends World<Kind>>(system: System<Kind>, state: GlobalState<Kind>, role: number, isPrompt: boolean): boolean {
  const name = state.nameOf(role);
  if (!system.victims.includes(name) || state.local(role).status !== 'alive') return false;
  return !isPrompt || system.isKilledHere?.(state, name) !== false;
}

/** What is urgent for a process comes before its mailbox, unless that kills it; what begins it, before everything else. */
function addDeliveries<Kind extends World<Kind>>(moves: Move<Kind>[], state: GlobalState<Kind>, place: number, isRole: boolean): void {
  const mailbox = state.mailbox(place);
  const local = isRole ? state.local(place) : undefined;
  const isBusy = local?.status === 'alive' && local.urgent.length > 0;
  if (isBusy) moves.push({ type: 'goOn', role: place });
  for (const channel of mailbox) {
    const isFirst = local?.status === 'unborn' ? channel.from === '@supervisor' : !isBusy || channel.from.startsWith(KILLED_BY);
    if (isFirst && (isRole || state.isReady(place, channel))) moves.push({ type: 'deliver', place, channel });
  }
}

function addTimeouts<Kind extends World<Kind>>(moves: Move<Kind>[], state: GlobalState<Kind>, role: number): void {
  const local = state.local(role);
  if (local.status !== 'alive' || local.urgent.length > 0) return;
  for (const name of Object.keys(local.timers)) moves.push({ type: 'timeout', role, name });
  for (const group of state.ledger(role).groups) if (group.isLimited) moves.push({ type: 'silence', role, group });
}

export function isUnderWay({ type }: Move<never>): boolean {
  return type === 'goOn' || type === 'deliver';
}

export function make<Kind extends World<Kind>>(system: System<Kind>, draft: Draft<Kind>, move: Move<Kind>): void {
  switch (move.type) {
    case 'goOn':
      return draft.goOn(move.role);
    case 'deliver':
      return draft.deliver(move.place, move.channel);
    case 'happen':
      draft.happen(move.happening);
      for (const happening of move.happening.behind ?? []) {
        calm(system, draft);
        draft.happen(happening);
      }
      return;
    case 'kill':
      return draft.kill(move.role);
    case 'timeout':
      return draft.timeout(move.role, move.name);
    case 'silence':
      return draft.silence(move.role, move.group);
  }
}
