/**
 * DiskStanding: what the disk refuses at present (it is full, it fails, it is read-only), and the work that waits until it is tried again.
 *
 * Nothing is lost while somebody still has what was refused: so work that waits is done again, by its owner, from what is durable for
 * certain. A failed sync is never repeated as such: the kernel may have dropped what it was to bring, and a second one would say that all
 * is well. When the disk is tried again is not decided here, but by whoever keeps watch; before anybody does, a refusal is an error.
 */
import type { Clock } from '../../base/clock.ts';
import { isRefusal, type DiskError } from '../errors.ts';

/** What the disk does not get done. */
export interface SlowWork {
  readonly operation: string;
  readonly path: string;
  readonly forMs: number;
}

interface Work {
  readonly operation: string;
  readonly path: string;
  readonly sinceMs: number;
}

export class DiskStanding {
  private readonly counts = new Map<string, number>();
  private total = 0;
  private last: DiskError | undefined;
  /** In which trial each was told of last: a refusal goes through several hands, and may be met again. */
  private readonly told = new WeakMap<DiskError, number>();
  private isKept = false;
  private isOver = false;
  /** How often it was tried. */
  private trials = 0;
  /** Work that was refused once and is not done yet, whether it waits or is tried again. */
  private held = 0;
  /** Of that, what waits: `again`, or never with the error of the refusal. */
  private waiting: { readonly again: () => void; readonly giveUp: () => void }[] = [];
  private pausing: { readonly promise: Promise<void>; readonly end: () => void } | undefined;
  private readonly watchers = new Set<() => void>();
  private probing: Promise<boolean> | undefined;
  /** In the order in which they began. */
  private readonly underWay = new Set<Work>();

  /** @param probe writes a little, durably, and takes it away again. */
  constructor(
    private readonly clock: Pick<Clock, 'nowMs'>,
    private readonly probe: () => Promise<void> = () => Promise.resolve(),
  ) {}

  /** What it has refused last, since it was last found to take something. */
  get refusal(): DiskError | undefined {
    return this.last;
  }

  /** How often each code was met. */
  get refusals(): ReadonlyMap<string, number> {
    return this.counts;
  }

  /** Set while work waits: whoever brings more is to wait as well. Resolves when none does. */
  get pause(): Promise<void> | undefined {
    return this.pausing?.promise;
  }

  /** What has been under way for longest. */
  get slowest(): SlowWork | undefined {
    const [first] = this.underWay;
    return first && { operation: first.operation, path: first.path, forMs: this.clock.nowMs() - first.sinceMs };
  }

  /**
   * From now on, until `end`, somebody tries the disk again when it refuses. One who dies has a successor: what is refused in between waits
   * for that, or the log would take nothing more for the sake of a moment.
   */
  keep(): void {
    this.isKept = true;
  }

  /** Does a thing that changes what is on the disk, remembers when it is refused, and knows how long it takes. */
  async watch<Result>(operation: string, path: string, action: () => Promise<Result>): Promise<Result> {
    const work = { operation, path, sinceMs: this.clock.nowMs() };
    this.underWay.add(work);
    try {
      return await action();
    } catch (error) {
      if (isRefusal(error)) this.note(error);
      throw error;
    } finally {
      this.underWay.delete(work);
    }
  }

  /**
   * Does `work`, and does it again each time the disk is tried, until it was taken. What holds it up is remembered, watched or not: a
   * directory may be listed, or a file read, on the way.
   *
   * @throws what is no refusal; a refusal when nobody has kept watch yet, or the storage is being closed.
   */
  async insist<Result>(work: () => Promise<Result>): Promise<Result> {
    let isHeld = false;
    try {
      for (;;) {
        const trial = this.trials;
        try {
          return await work();
        } catch (error) {
          if (!isRefusal(error) || !this.isKept || this.isOver) throw error;
          if (!isHeld) this.hold();
          isHeld = true;
          if (trial === this.trials) await this.nextTrial(error); // Else it was refused before a trial that it has yet to be part of.
        }
      }
    } finally {
      if (isHeld) this.letGo();
    }
  }

  /** Resolves when the disk has refused something, at once when it has already; and when `signal` is aborted. */
  whenRefused(signal: AbortSignal): Promise<void> {
    return this.until(() => this.last !== undefined || signal.aborted, signal);
  }

  /** Does the disk take a little now? Then what it refuses of one file is an affair of that. One answer for all who ask together. */
  takesOthers(): Promise<boolean> {
    this.probing ??= this.probe()
      .then(() => true, refusedOnly)
      .finally(() => (this.probing = undefined));
    return this.probing;
  }

  /** Has all that waits tried again, or else a little written. @returns what is refused still; undefined when all was taken. */
  async tryAgain(signal: AbortSignal): Promise<DiskError | undefined> {
    const before = this.total;
    this.trials += 1;
    const takes = this.held === 0 && (await this.takesOthers());
    for (const { again } of this.waiting.splice(0)) again();
    await this.until(() => this.held === 0 || this.total > before || signal.aborted, signal);
    // A disk that takes a little is not to be told of as one that refuses: what was refused meanwhile is of one file.
    if (this.held === 0 && (takes || this.total === before)) this.last = undefined;
    return this.last;
  }

  /** The storage is being closed: what waits fails as it was refused, and so does what comes. */
  end(): void {
    this.isOver = true;
    for (const { giveUp } of this.waiting.splice(0)) giveUp();
  }

  private note(error: DiskError): void {
    if (!this.told.has(error)) this.counts.set(error.code, (this.counts.get(error.code) ?? 0) + 1);
    this.told.set(error, this.trials);
    this.total += 1;
    this.last = error;
    this.tell();
  }

  private hold(): void {
    this.held += 1;
    if (this.pausing !== undefined) return;
    let end = (): void => {};
    const promise = new Promise<void>((resolve) => (end = resolve));
    this.pausing = { promise, end };
  }

  private letGo(): void {
    this.held -= 1;
    if (this.held === 0) {
      this.pausing?.end();
      this.pausing = undefined;
    }
    this.tell();
  }

  private nextTrial(error: DiskError): Promise<void> {
    if (this.told.get(error) !== this.trials) this.note(error);
    return new Promise((resolve, reject) => {
      this.waiting.push({ again: resolve, giveUp: () => reject(error) });
    });
  }

  private until(condition: () => boolean, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (!condition()) return;
        this.watchers.delete(look);
        signal.removeEventListener('abort', look);
        resolve();
      };
      this.watchers.add(look);
      signal.addEventListener('abort', look);
      look();
    });
  }

  private tell(): void {
    for (const look of [...this.watchers]) look();
  }
}

/** It is remembered already. */
function refusedOnly(error: unknown): false {
  if (!isRefusal(error)) throw error;
  return false;
}
