/**
 * LogBlocks: blocks of the log on their way from the port that loads them to the table that takes them: events name a
 * block, rows never travel.
 *
 * A block is held as long as the call that asked for it is open: the caller's table takes it while the answer is handled,
 * or nobody does. So no process has to give a block back, and one that dies or gives up leaves none behind. A bounded number
 * of loads is under way at a time. Whoever asks for one more waits, and not for ever, since every call ends.
 */
import { invariant } from '../../base/invariant.ts';
import type { LogPosition, LogRange } from '../../model/log-position.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { TransactionLog } from './transaction-log.ts';

interface Held {
  readonly block: LogBlock;
  /** How many open calls hold it. */
  calls: number;
}

interface Loading {
  readonly range: LogRange;
  readonly bytesMax: number;
  readonly block: Promise<LogBlock>;
}

/** Loads that are being read, or whose answer is under way. */
const LOADS_MAX = 64;

export class LogBlocks {
  /** By the position at which they begin. Two begin at the same one only when their readers asked for different ends. */
  private readonly held = new Map<LogPosition, readonly Held[]>();
  private readonly loading: Loading[] = [];
  private readonly waiting: (() => void)[] = [];
  private loads = 0;

  constructor(
    private readonly log: Pick<TransactionLog, 'read'>,
    private readonly loadsMax = LOADS_MAX,
  ) {}

  /** How many blocks are in memory. */
  get count(): number {
    return [...this.held.values()].reduce((sum, { length }) => sum + length, 0);
  }

  /**
   * Reads a block and holds it. A load of the same range that is under way, or whose block is still held, is shared.
   *
   * @param call is aborted when the call is over, whether its answer was delivered or not.
   * @throws the signal's reason, when it is aborted first; then nothing is held.
   */
  async load(range: LogRange, bytesMax: number, call: AbortSignal): Promise<LogBlock> {
    await this.enter(call);
    try {
      const block = this.heldFor(range) ?? (await this.read(range, bytesMax));
      call.throwIfAborted();
      return this.hold(block, call);
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** The block that was loaded for exactly this range. @throws {InvariantError} when the call that asked for it is over. */
  get({ after, through }: LogRange): LogBlock {
    const held = this.at(after).find(({ block }) => block.through === through);
    invariant(held !== undefined, `a block behind ${after} is taken while the answer that brought it is handled`);
    return held.block;
  }

  private async enter(call: AbortSignal): Promise<void> {
    call.throwIfAborted();
    if (this.loads < this.loadsMax) {
      this.loads += 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      this.waiting.push(resolve);
      call.addEventListener('abort', () => {
        const place = this.waiting.indexOf(resolve);
        if (place === -1) return; // It waits no more, and looks at the signal itself.
        this.waiting.splice(place, 1);
        reject(call.reason as Error);
      });
    });
  }

  /** A load has ended: the one that waits longest takes its place. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.loads -= 1;
    else next();
  }

  private async read(range: LogRange, bytesMax: number): Promise<LogBlock> {
    const same = this.loading.find((loading) => isSame(loading.range, range) && loading.bytesMax === bytesMax);
    if (same !== undefined) return same.block;
    const loading = { range, bytesMax, block: this.log.read(range, bytesMax) };
    this.loading.push(loading);
    try {
      return await loading.block;
    } finally {
      this.loading.splice(this.loading.indexOf(loading), 1);
    }
  }

  private hold(block: LogBlock, call: AbortSignal): LogBlock {
    const held = this.at(block.after).find((other) => other.block.through === block.through) ?? this.add(block);
    held.calls += 1;
    // A call ends right before its answer is handled, in the same turn: so the block is kept to the end of that turn.
    call.addEventListener('abort', () => queueMicrotask(() => this.letGo(held)), { once: true });
    return held.block;
  }

  private add(block: LogBlock): Held {
    const held = { block, calls: 0 };
    this.held.set(block.after, [...this.at(block.after), held]);
    return held;
  }

  private letGo(held: Held): void {
    held.calls -= 1;
    if (held.calls === 0) {
      const { after } = held.block;
      const others = this.at(after).filter((other) => other !== held);
      if (others.length === 0) this.held.delete(after);
      else this.held.set(after, others);
    }
    this.leave();
  }

  /** A block that a reader of `range` may get: it never reaches past the range, and is not the empty end of a shorter one. */
  private heldFor(range: LogRange): LogBlock | undefined {
    const fitting = this.at(range.after).find(
      ({ block }) => block.through === range.through || (block.through < range.through && block.transactions.length > 0),
    );
    return fitting?.block;
  }

  private at(after: LogPosition): readonly Held[] {
    return this.held.get(after) ?? [];
  }
}

function isSame(left: LogRange, right: LogRange): boolean {
  return left.after === right.after && left.through === right.through;
}
