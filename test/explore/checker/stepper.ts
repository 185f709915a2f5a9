/** Stepper: what may come next in a state, and what then becomes of it. What came before in the same way is looked up. */
import { Cast } from './cast.ts';
import { Draft } from './draft.ts';
import type { Evaluator } from './evaluator.ts';
import { FootprintReader, type Footprint } from './footprint.ts';
import { GlobalState } from './global-state.ts';
import { MoveMemo } from './move-memo.ts';
import { make, movesOf, type Move } from './moves.ts';
import { ADDRESSES_MAX } from './question.ts';
import type { Happening, System, World } from './system.ts';

/** The kinds of what is looked up. */
const [HAPPENINGS, GO_ON, DELIVER, HAPPEN, KILL, TIMEOUT, SILENCE, HASTEN] = [0, 1, 2, 3, 4, 5, 6, 7];
/** Instead of where a step ended in the memo: it concerns everybody, and is computed each time. */
export const OF_ALL = -1;

export class Stepper<Kind extends World<Kind>> {
  private readonly memo = new MoveMemo();
  private readonly lists = new Map<number, readonly Happening<Kind>[]>();
  /** The state that is looked at, and the one that is made of it. */
  private readonly state: GlobalState<Kind>;
  private readonly made: GlobalState<Kind>;
  /** Where a way began that went on as none did before. */
  private readonly before: Int32Array;
  /** Where the way ended by which the happenings of the state were found. */
  private found = 0;

  constructor(
    private readonly system: System<Kind>,
    private readonly parts: Evaluator<Kind>,
    first: Int32Array,
    private readonly isPrompt: boolean,
  ) {
    this.state = new GlobalState(system, parts, first);
    this.made = new GlobalState(system, parts, first);
    this.before = first.slice();
  }

  get count(): number {
    return this.memo.count;
  }

  /** @returns the state of the vector, until the next one is looked at. */
  look(vector: Int32Array): GlobalState<Kind> {
    this.state.become(vector);
    return this.state;
  }

  /** Those of the state that was looked at. */
  moves(): readonly Move<Kind>[] {
    return movesOf(this.system, this.state, this.happenings(), this.isPrompt);
  }

  /** Names a move, in whichever state: `OF_ALL` when it concerns everybody. */
  nameOf(move: Move<Kind>): number {
    const { memo, parts } = this;
    switch (move.type) {
      case 'goOn':
        return memo.rootOf(GO_ON, move.role);
      case 'deliver':
        return memo.rootOf(DELIVER, this.about(move.place, move.channel.from));
      case 'happen':
        return isOfAll(move.happening) ? OF_ALL : memo.rootOf(HAPPEN, parts.happeningId(move.happening));
      case 'kill':
        return memo.rootOf(KILL, move.role);
      case 'timeout':
        return memo.rootOf(TIMEOUT, this.about(move.role, move.name));
      case 'silence':
        return memo.rootOf(SILENCE, this.about(move.role, move.group.as));
    }
  }

  /**
   * @param name of the move.
   * @returns what it makes of the state that was looked at, until the next one; and where its way ended.
   */
  next(move: Move<Kind>, name: number): { readonly vector: Int32Array; readonly end: number } {
    const { system, parts, made, state: { state } } = this;
    if (name === OF_ALL) {
      const draft = new Draft(system, parts, state);
      make(system, draft, move);
      if (this.isPrompt) draft.hurry();
      return { vector: draft.state, end: OF_ALL };
    }
    made.become(state);
    const end = this.go(name, (draft) => make(system, draft, move));
    if (this.isPrompt) this.hurry();
    return { vector: made.state, end };
  }

  /**
   * That of a move which was just made. Whether something can happen, and what, was found by looking at the state too.
   *
   * @param end of its way.
   */
  footprintOf(move: Move<Kind>, end: number): Footprint {
    const ways = move.type === 'happen' ? [this.found, end] : [end];
    const reader = new FootprintReader(this.parts, Cast.of(this.system).layout);
    return reader.read(ways.flatMap((each) => this.memo.wayTo(each)));
  }

  /** Names what `footprintOf` depends on, together with the end. */
  foundBy({ type }: Move<Kind>): number {
    return type === 'happen' ? this.found : OF_ALL;
  }

  /**
   * As `Draft.hurry`. Each who does something at once goes a way of his own, so that what one of them did before need not have come
   * together with what the others did.
   */
  private hurry(): void {
    const { memo, made } = this;
    for (let role = made.takeTouched(); role !== -1; role = made.takeTouched()) {
      const each = role;
      this.go(memo.rootOf(HASTEN, each), (draft) => draft.hasten(each));
    }
  }

  /** @returns where the way ends that changes `made` as `act` does. */
  private go(name: number, act: (draft: Draft<Kind>) => void): number {
    const { system, parts, memo, made, before } = this;
    const { touchedRoles } = made;
    before.set(made.state);
    const known = memo.replay(name, made);
    if (known !== -1) return known;
    const recording = memo.recording(name);
    const draft = new Draft(system, parts, before, recording);
    act(draft);
    made.become(draft.state, touchedRoles | draft.touchedRoles);
    return recording.end();
  }

  private about(place: number, name: string): number {
    return place * ADDRESSES_MAX + this.parts.addressId(name);
  }

  private happenings(): readonly Happening<Kind>[] {
    const { system, parts, memo, lists, state } = this;
    const root = memo.rootOf(HAPPENINGS, 0);
    this.found = memo.replay(root, state);
    const known = lists.get(this.found);
    if (known !== undefined) return known;
    const recording = memo.recording(root);
    const list = system.happenings(new GlobalState(system, parts, state.state, recording));
    this.found = recording.end();
    lists.set(this.found, list);
    return list;
  }
}

function isOfAll<Kind>({ isCrash, behind }: Happening<Kind>): boolean {
  return isCrash === true || behind !== undefined;
}
