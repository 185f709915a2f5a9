/**
 * DurableWitness: how far the log has been durable, told beside the log. Without it the last group could vanish unseen:
 * nothing behind it in the log speaks for it.
 *
 * It is written after the sync that it tells of, and not synced itself: so it is never ahead of the log, and costs a group
 * no second sync. After a kill it is exact, but for a group that was just synced; after a power cut perhaps some groups old.
 * Two slots are written in turn, since a write that is torn must not take the proof of the one before with it.
 */
import { crc32 } from 'node:zlib';
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { errorOf, isRefusal } from '../errors.ts';

export const WITNESS_NAME = 'durable';
const SLOT_BYTES = 16;
const SLOTS = 2;

export async function openWitness(disk: Disk, directory: string): Promise<DurableWitness> {
  const file = await disk.open(`${directory}/${WITNESS_NAME}`, 'write');
  const found = Buffer.from(await file.read(0, SLOTS * SLOT_BYTES));
  if (found.length < SLOTS * SLOT_BYTES) {
    await file.append(Buffer.alloc(SLOTS * SLOT_BYTES - found.length)); // What is written over can only be torn within its slot.
    await file.sync();
    await disk.syncDirectory(directory);
  }
  return new DurableWitness(file, slotsOf(found));
}

/** How each slot was found, for who looks at the witness of another process. */
export interface SeenWitness {
  /** The log was durable up to here. Its beginning when nothing is proved. */
  readonly position: LogPosition;
  /** Slots with something in them that does not hold. One may have been torn by a power cut. */
  readonly brokenSlots: number;
}

/** Without a change. */
export async function seeWitness(disk: Disk, directory: string): Promise<SeenWitness> {
  if (!(await disk.list(directory)).includes(WITNESS_NAME)) return { position: LOG_START, brokenSlots: 0 };
  const file = await disk.open(`${directory}/${WITNESS_NAME}`, 'read');
  const bytes = await file.read(0, SLOTS * SLOT_BYTES).finally(() => file.close());
  const found = Buffer.from(bytes);
  const isBroken = (slot: Buffer): boolean => slot.length === SLOT_BYTES && slot.some((byte) => byte !== 0) && !holdsAt(slot, 0);
  const slots = Array.from({ length: SLOTS }, (_, index) => found.subarray(index * SLOT_BYTES, (index + 1) * SLOT_BYTES));
  return { position: Math.max(LOG_START, ...slotsOf(found)) as LogPosition, brokenSlots: slots.filter(isBroken).length };
}

export class DurableWitness {
  /** As it was found: the log was durable up to here. Its beginning when nothing is proved. */
  readonly position: LogPosition;
  private writing: Promise<void> | undefined;
  private next: LogPosition | undefined;
  private slot: number;
  private failure: Error | undefined;

  constructor(
    private readonly file: DiskFile,
    found: readonly LogPosition[],
  ) {
    this.position = Math.max(LOG_START, ...found) as LogPosition;
    this.slot = found.indexOf(this.position) === 0 ? 1 : 0;
  }

  /**
   * Tells that the log is durable up to `position`; when that comes thick and fast, the last one alone.
   *
   * @throws what an earlier write met. That the disk refused one is no harm: the witness is old then, and the next one tries the same slot.
   */
  tell(position: LogPosition): void {
    if (this.failure !== undefined) throw this.failure;
    this.next = position;
    this.writing ??= this.write();
  }

  /** Resolves when all that was told has been written. */
  async close(): Promise<void> {
    await this.writing;
    await this.file.close();
    if (this.failure !== undefined) throw this.failure;
  }

  private async write(): Promise<void> {
    try {
      for (let position = this.next; position !== undefined; position = this.next) {
        this.next = undefined;
        await this.file.overwrite(this.slot * SLOT_BYTES, encodeSlot(position));
        this.slot = (this.slot + 1) % SLOTS;
      }
    } catch (error) {
      if (!isRefusal(error)) this.failure = errorOf(error);
    }
    this.writing = undefined;
  }
}

/** What each slot that holds says. */
function slotsOf(bytes: Buffer): LogPosition[] {
  const found: LogPosition[] = [];
  for (let at = 0; at + SLOT_BYTES <= bytes.length; at += SLOT_BYTES) {
    found.push((holdsAt(bytes, at) ? Number(bytes.readBigUInt64LE(at)) : LOG_START) as LogPosition);
  }
  return found;
}

function holdsAt(bytes: Buffer, at: number): boolean {
  return bytes.readUInt32LE(at + 12) === crc32(bytes.subarray(at, at + 12));
}

function encodeSlot(position: LogPosition): Buffer {
  const bytes = Buffer.alloc(SLOT_BYTES);
  bytes.writeBigUInt64LE(BigInt(position));
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 12)), 12);
  return bytes;
}
