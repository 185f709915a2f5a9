/**
 * Restoration: how the stored shapes come back with a directory that begins. All are entered first, some at a time, since an inner
 * one may come after those that depend on it. Then those are condemned that cannot come back, or that nobody needs: what is left can
 * be read. Those that nobody need follow are told to whoever routes to them, some at a time, and who reads meanwhile waits for no more
 * than these. Only then is the first Consumer asked for.
 */
import { invariant } from '../../base/invariant.ts';
import { bornMicros, type Handle, type ShapeDefinition } from '../../model/shape.ts';
import { DEPENDENCY_GONE } from '../consumer/consumer-setup.ts';
import type { Message } from '../../otp/process.ts';
import type { DependentLives } from './dependent-lives.ts';
import type { DirectoryPorts, ListedLog } from './directory-ports.ts';
import type { StartQueue } from './start-queue.ts';

/** Stored shapes that were entered, and that no Consumer follows until something touches them. */
export interface RestedShapes extends Message {
  readonly type: 'shapes.rested';
  readonly handles: readonly Handle[];
  /** Their tables, in the same order. */
  readonly relations: readonly ShapeDefinition['relation'][];
}

/**
 * Stored shapes that one step enters or lays to rest: less than a millisecond where their filters differ in constants alone, and two where
 * hardly any of them are alike, for each is parsed then. A request takes many steps; but each lot is told to others, in steps of their own.
 */
export const LOT_MAX = 20;

/** Why an inner shape goes that no client has asked for. */
export const FORSAKEN = 'no shape depends on it any more';

export class Restoration {
  /** Every stored shape is back, or gone. */
  isDone: boolean;
  /** Of each it is known whether it needs a Consumer. */
  isRested: boolean;
  /** Those that are still to be entered, the next one last; undefined until the first step. */
  private unentered: Handle[] | undefined;
  /** Entered ones without a whole snapshot, which cannot be brought back. */
  private halves: Handle[];
  /** Entered ones of which a newer one serves the definition: they were condemned, and not gone when the directory before us ended. */
  private superseded: Handle[];
  /** Those that have yet to be looked at, whether they need a Consumer; undefined before all are entered. */
  private unrested: Handle[] | undefined;

  constructor(
    private readonly ports: Pick<DirectoryPorts, 'shapeLogs' | 'faultOf' | 'mayRest'>,
    private readonly lives: DependentLives,
    private readonly starts: StartQueue,
    private readonly lotMax: number,
    original?: Restoration,
  ) {
    this.isDone = original?.isDone ?? false;
    this.isRested = original?.isRested ?? false;
    this.unentered = original?.unentered && [...original.unentered];
    this.halves = [...(original?.halves ?? [])];
    this.superseded = [...(original?.superseded ?? [])];
    this.unrested = original?.unrested && [...original.unrested];
  }

  /** There are stored shapes that the lives do not have yet. */
  private get isEntering(): boolean {
    return this.unentered !== undefined && this.unentered.length > 0;
  }

  /** @returns whether more are left to be entered. */
  enterMore(): boolean {
    if (this.unentered?.length === 0) return false;
    this.unentered ??= youngestFirst(this.ports.shapeLogs.all());
    for (const handle of this.unentered.splice(-this.lotMax).reverse()) this.enter(handle);
    if (!this.isEntering) this.condemnUnfit();
    return this.isEntering;
  }

  /** Once all are entered. Lots of which none may rest are passed at once. @returns undefined when each that is left needs its Consumer. */
  restMore(): RestedShapes | undefined {
    this.unrested ??= [...this.lives.handles()].reverse();
    while (this.unrested.length > 0) {
      const handles = this.unrested.splice(-this.lotMax).reverse().filter((handle) => this.mayRest(handle));
      if (handles.length > 0) return this.rest(handles);
    }
    this.isRested = true;
    return undefined;
  }

  key(): readonly unknown[] {
    return [this.isDone, this.isRested, this.unentered ?? null, this.halves, this.superseded, this.unrested ?? null];
  }

  private enter(handle: Handle): void {
    const stored = this.ports.shapeLogs.get(handle);
    invariant(stored !== undefined, `nobody deletes a stored shape before it is entered: ${handle}`);
    const older = this.starts.enter(stored);
    if (older !== undefined) this.superseded.push(older);
    if (stored.snapshot.state !== 'complete') this.halves.push(handle);
  }

  /** One that others depend on tells them of what moves; one whose filter this version does not take is refused when its turn comes. */
  private mayRest(handle: Handle): boolean {
    const shape = this.lives.get(handle);
    if (shape?.life !== 'reserved' || this.lives.outerOf(handle).size > 0) return false;
    return this.ports.mayRest(handle) && this.ports.faultOf(shape.definition) === undefined;
  }

  private rest(handles: readonly Handle[]): RestedShapes {
    const relations = handles.map((handle) => this.lives.step(handle, 'shape.rested').definition.relation);
    return { type: 'shapes.rested', handles, relations };
  }

  private condemnUnfit(): void {
    const { lives } = this;
    // Who wrote a snapshot ended with the processes before us, and half of one can only be begun anew.
    lives.condemn(this.halves, { why: 'its snapshot was not complete', isTold: false });
    lives.condemn(this.superseded, { why: 'another shape has taken its place', isTold: false });
    this.halves = [];
    this.superseded = [];
    lives.condemn(lives.bereft, { why: DEPENDENCY_GONE, isTold: false });
    lives.lookForForsaken();
    this.condemnForsaken();
    lives.forgetUnheard(); // None of them had a Consumer, and nobody waits for one.
  }

  /** Layer by layer, inwards. */
  private condemnForsaken(): void {
    for (let taken = this.lives.takeForsaken(); taken.length > 0; taken = this.lives.takeForsaken()) {
      this.lives.condemn(taken, { why: FORSAKEN, isTold: false });
    }
  }
}

/** The oldest is entered first, so that the newest of a definition is the one that is found. */
function youngestFirst(logs: Iterable<ListedLog>): Handle[] {
  const born = Array.from(logs, ({ handle }) => ({ handle, micros: bornMicros(handle) }));
  return born.sort((left, right) => left.micros - right.micros).reverse().map(({ handle }) => handle);
}
