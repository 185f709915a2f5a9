/**
 * LogBlocks: blocks of the log that are being worked on, shared between the port that loads them and the tables that
 * use them: events name a block, rows never travel.
 *
 * A block is pinned by each load and must be released as often. Pins are bounded: whoever forgets to release
 * crashes the next loader instead of filling the memory.
 */
import { invariant } from '../base/invariant.ts';
import type { LogPosition, LogRange } from '../model/log-position.ts';
import type { LogBlock } from '../model/transaction.ts';
import type { TransactionLog } from './transaction-log.ts';

interface Pinned {
  readonly block: LogBlock;
  pins: number;
}

interface Loading {
  readonly range: LogRange;
  readonly bytesMax: number;
  readonly block: Promise<LogBlock>;
}

const BLOCKS_MAX = 1024;

export class LogBlocks {
  /** By where they begin; more than one only when two readers of the same place were bounded differently. */
  private readonly pinned = new Map<LogPosition, Pinned[]>();
  private readonly loading: Loading[] = [];
  private count = 0;

  constructor(
    private readonly log: Pick<TransactionLog, 'read'>,
    private readonly blocksMax = BLOCKS_MAX,
  ) {}

  /**
   * Reads a block and pins it once. A load of the same range that is under way, or was not released yet, is shared.
   *
   * @throws the signal's reason, when it is aborted first; then nothing is pinned.
   */
  async load(range: LogRange, bytesMax: number, signal: AbortSignal): Promise<LogBlock> {
    signal.throwIfAborted();
    const shared = this.pinnedFor(range);
    if (shared !== undefined) return this.pin(shared.block);
    const block = await this.read(range, bytesMax);
    signal.throwIfAborted();
    return this.pin(block);
  }

  /**
   * A pinned block. `through` names one of several that begin at the same place.
   *
   * @throws {InvariantError} when no such block is pinned, or `through` is needed and missing.
   */
  get(after: LogPosition, through?: LogPosition): LogBlock {
    return this.find(after, through).block;
  }

  /** Takes back one pin. @throws {InvariantError} as `get` does. */
  release(after: LogPosition, through?: LogPosition): void {
    const pinned = this.find(after, through);
    pinned.pins -= 1;
    if (pinned.pins > 0) return;
    this.count -= 1;
    const others = this.at(after).filter((other) => other !== pinned);
    if (others.length === 0) this.pinned.delete(after);
    else this.pinned.set(after, others);
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

  private pin(block: LogBlock): LogBlock {
    const same = this.at(block.after).find((pinned) => pinned.block.through === block.through);
    if (same !== undefined) {
      same.pins += 1;
      return same.block;
    }
    invariant(this.count < this.blocksMax, `at most ${this.blocksMax} blocks are pinned at a time`);
    this.count += 1;
    this.pinned.set(block.after, [...this.at(block.after), { block, pins: 1 }]);
    return block;
  }

  /** A block that a reader of `range` may get: it never reaches past the range, and is not the empty end of a shorter one. */
  private pinnedFor(range: LogRange): Pinned | undefined {
    return this.at(range.after).find(
      ({ block }) => block.through === range.through || (block.through < range.through && block.transactions.length > 0),
    );
  }

  private find(after: LogPosition, through: LogPosition | undefined): Pinned {
    const candidates = this.at(after).filter(({ block }) => through === undefined || block.through === through);
    const [pinned] = candidates;
    invariant(pinned !== undefined, `a block behind ${after} is pinned`);
    invariant(candidates.length === 1, `one block behind ${after} is meant`);
    return pinned;
  }

  private at(after: LogPosition): readonly Pinned[] {
    return this.pinned.get(after) ?? [];
  }
}

function isSame(left: LogRange, right: LogRange): boolean {
  return left.after === right.after && left.through === right.through;
}
