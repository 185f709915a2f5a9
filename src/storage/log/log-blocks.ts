/**
 * LogBlocks: blocks of the log on their way from the port that loads them to the table that takes them: events name a
 * block, rows never travel.
 *
 * A table that takes blocks has a slot here, under the pid of its owner, from its making to its owner's end. A load puts
 * its block there, and the table takes it out when it hears of it; so whoever dies in between leaves nothing behind. No
 * more than a few slots are full, or being filled, at a time: who asks for one more waits until another was emptied. Who has
 * taken a part of a transaction keeps its turn until it asks for the next one: what it made of the part is in memory too.
 */
import type { Forkable } from '../../base/fork.ts';
import { invariant } from '../../base/invariant.ts';
import type { LogRange } from '../../model/log-position.ts';
import type { PublishedRelation } from '../../model/relation.ts';
import type { LogBlock } from '../../model/transaction.ts';
import type { BlockSizes, TransactionLog } from './transaction-log.ts';

interface Loading {
  readonly range: LogRange;
  readonly follows: string;
  readonly sizes: BlockSizes;
  readonly block: Promise<LogBlock>;
}

/** Slots that are full or being filled. */
const LOADS_MAX = 64;

/** The place of one process for the block that it asked for last. A copy holds the same block, and nobody loads another into it. */
export interface BlockSlot extends Forkable<BlockSlot> {
  /** The block that was loaded for exactly this range, once. @throws {InvariantError} when it is not there. */
  take(range: LogRange): LogBlock;
  /** The owner has ended: what is loaded for it from now on is nobody's. */
  close(): void;
}

export class LogBlocks {
  /** What the owner of each follows, by pid. */
  private readonly slots = new Map<string, PublishedRelation | undefined>();
  /** By owner: few, however many slots there are. */
  private readonly held = new Map<string, LogBlock>();
  /** Owners that have taken a part, and not asked for the next one yet. */
  private readonly busy = new Set<string>();
  private readonly loading: Loading[] = [];
  private readonly waiting: (() => void)[] = [];
  private loads = 0;

  constructor(
    private readonly log: Pick<TransactionLog, 'read' | 'readKept'>,
    private readonly loadsMax = LOADS_MAX,
  ) {}

  /** How many slots hold a block. */
  get count(): number {
    return this.held.size;
  }

  /**
   * Opens a slot.
   *
   * @param owner the pid under which blocks are asked for; it has one slot.
   * @param relation what the owner follows: of transactions that do not touch it nothing may come. All when it is left out.
   */
  slot(owner: string, relation?: PublishedRelation): BlockSlot {
    invariant(!this.slots.has(owner), `${owner} has one slot`);
    this.slots.set(owner, relation);
    return new OwnSlot(this, owner);
  }

  /** Of `owner`, as its slot says. */
  take(owner: string, range: LogRange): LogBlock {
    const block = loadedFor(range, this.held.get(owner));
    this.held.delete(owner);
    if (isPart(block)) this.busy.add(owner);
    else this.leave();
    return block;
  }

  close(owner: string): void {
    this.slots.delete(owner);
    this.forget(owner);
    this.rest(owner);
  }

  heldBy(owner: string): LogBlock | undefined {
    return this.held.get(owner);
  }

  /**
   * Reads a block into the slot of `owner`. A load of the same range that is under way, or whose block lies in a slot, is
   * shared.
   *
   * @returns where the block lies; `isPart` when more of its transaction follows behind it.
   * @param call aborted when the owner does not wait any more.
   * @throws the signal's reason, when it is aborted first, or what the log throws; the slot holds what it held.
   */
  async load(owner: string, range: LogRange, sizes: BlockSizes, call: AbortSignal): Promise<LogRange & { readonly isPart: boolean }> {
    this.rest(owner);
    await this.enter(call);
    try {
      const relation = this.slots.get(owner);
      const block = this.heldFor(range, relation) ?? (await this.read(range, sizes, relation));
      call.throwIfAborted();
      this.hold(owner, block);
      return { after: block.after, through: block.through, isPart: isPart(block) };
    } catch (error) {
      this.leave();
      throw error;
    }
  }

  /** The same at once, where there is a turn and the block is in memory: it is no part then. @returns undefined: nothing has changed. */
  loadKept(owner: string, range: LogRange, sizes: BlockSizes): LogRange | undefined {
    if (this.loads >= this.loadsMax) return undefined;
    const relation = this.slots.get(owner);
    const block = this.heldFor(range, relation) ?? this.log.readKept(range, sizes, relation);
    if (block === undefined || isPart(block)) return undefined;
    this.rest(owner);
    this.loads += 1;
    this.hold(owner, block);
    return { after: block.after, through: block.through };
  }

  /** Lets go of what was loaded for `owner`: it will not take it. */
  forget(owner: string): void {
    if (this.held.delete(owner)) this.leave();
  }

  private hold(owner: string, block: LogBlock): void {
    invariant(this.slots.has(owner), `${owner} waits for a block, so it has a slot`);
    this.forget(owner); // Whoever asks for another block does not want the one before any more.
    this.held.set(owner, block);
  }

  private rest(owner: string): void {
    if (this.busy.delete(owner)) this.leave();
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
        if (place === -1) return; // It has its turn: it finds the signal itself.
        this.waiting.splice(place, 1);
        reject(call.reason as Error);
      });
    });
  }

  /** The next one has the place of the one that leaves. */
  private leave(): void {
    const next = this.waiting.shift();
    if (next === undefined) this.loads -= 1;
    else next();
  }

  private async read(range: LogRange, sizes: BlockSizes, relation: PublishedRelation | undefined): Promise<LogBlock> {
    const follows = nameOf(relation);
    const isShared = (loading: Loading): boolean =>
      loading.follows === follows && isSame(loading.range, range) && isAsLarge(loading.sizes, sizes);
    const same = this.loading.find(isShared);
    if (same !== undefined) return same.block;
    const loading = { range, follows, sizes, block: this.log.read(range, sizes, relation) };
    this.loading.push(loading);
    try {
      return await loading.block;
    } finally {
      this.loading.splice(this.loading.indexOf(loading), 1);
    }
  }

  /** A block that a reader of `range` may get: it never reaches past the range, and is not the empty end of a shorter one. */
  private heldFor({ after, through }: LogRange, relation: PublishedRelation | undefined): LogBlock | undefined {
    const follows = nameOf(relation);
    for (const [owner, block] of this.held) {
      if (block.after !== after || nameOf(this.slots.get(owner)) !== follows) continue;
      if (block.through === through || (block.through < through && block.transactions.length > 0)) return block;
    }
    return undefined;
  }
}

/** One for each Consumer, of which there may be very many. */
class OwnSlot implements BlockSlot {
  constructor(
    private readonly blocks: LogBlocks,
    private readonly owner: string,
  ) {}

  take(range: LogRange): LogBlock {
    return this.blocks.take(this.owner, range);
  }

  close(): void {
    this.blocks.close(this.owner);
  }

  clone(): BlockSlot {
    return slotWith(this.blocks.heldBy(this.owner));
  }
}

function loadedFor(range: LogRange, block: LogBlock | undefined): LogBlock {
  invariant(block !== undefined && isSame(block, range), `a block behind ${range.after} is taken once it was loaded`);
  return block;
}

function slotWith(block: LogBlock | undefined): BlockSlot {
  let held = block;
  return {
    take(range) {
      const taken = loadedFor(range, held);
      held = undefined;
      return taken;
    },
    close() {
      held = undefined;
    },
    clone: () => slotWith(held),
  };
}

/** Equal for readers of the same table. */
function nameOf(relation: PublishedRelation | undefined): string {
  return relation === undefined ? '' : `${relation.oid}/${relation.schema}/${relation.name}`;
}

function isPart({ transactions }: LogBlock): boolean {
  return transactions.some(({ isUnfinished }) => isUnfinished);
}

function isAsLarge(left: BlockSizes, right: BlockSizes): boolean {
  return left.fillBytes === right.fillBytes && left.wholeBytesMax === right.wholeBytesMax;
}

function isSame(left: LogRange, right: LogRange): boolean {
  return left.after === right.after && left.through === right.through;
}
