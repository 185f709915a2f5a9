/**
 * Checkpoints: what the shapes were at a position of the log, each in one durable step: it counts with its last frame, or
 * not at all. It is never ahead of the log or of the shapes' files.
 *
 * A generation is a file that one process makes and only appends to; the next one replaces it whole. So no leftover of
 * another process must be told from what counts, and pages that a failed sync lost are never built upon: behind a refusal a new
 * generation begins. Lost or damaged, it takes nothing with it as long as the log still has what came since the checkpoint before.
 */
import { LOG_START, minPosition, type LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk } from '../disk/disk.ts';
import { makeDurably } from '../disk/durable-directory.ts';
import { passDiskError, passMissing } from '../errors.ts';
import { positionOf } from '../shapes/pace.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { CHECKPOINT_FRAMES } from './checkpoint-frame.ts';
import { CHECKPOINT_FORMAT, readCheckpoint } from './checkpoint-reader.ts';
import { CheckpointWriter } from './checkpoint-writer.ts';

export interface Checkpoint {
  readonly position: LogPosition;
  readonly changed: readonly ShapeState[];
  readonly removed: readonly Handle[];
}

const DIGITS = 16;
const NAME_PATTERN = /^\d{16}\.checkpoint$/;
const UNFINISHED_PATTERN = /^\d{16}\.checkpoint\.new$/;
/** A generation may come to three times the bytes that it began with, and to a little more. */
const GROWTH_FACTOR = 3;
const GROWTH_BYTES_MIN = 1024 * 1024;

/** @throws {DiskError | UnknownContentError} nothing was changed. */
export async function openCheckpoints(disk: Disk, directory: string): Promise<Checkpoints> {
  await makeDurably(disk, directory);
  return await findCheckpoints(disk, directory);
}

/** Without a change, for who looks at those of another process. @throws as `openCheckpoints`. */
export async function findCheckpoints(disk: Disk, directory: string): Promise<Checkpoints> {
  const checkpoints = new Checkpoints(disk, directory, await findGenerations(disk, directory));
  await checkpoints.find();
  return checkpoints;
}

/** In their order; none where there is no such directory. */
export async function findGenerations(disk: Pick<Disk, 'list'>, directory: string): Promise<readonly number[]> {
  const names = (await disk.list(directory)).filter((name) => NAME_PATTERN.test(name));
  return names.map((name) => Number(name.slice(0, DIGITS))).sort((left, right) => left - right);
}

export function checkpointPath(directory: string, generation: number): string {
  return `${directory}/${String(generation).padStart(DIGITS, '0')}.checkpoint`;
}

export class Checkpoints {
  private states = new Map<Handle, ShapeState>();
  private readonly damaged: string[] = [];
  private taken: LogPosition = LOG_START;
  private writer: CheckpointWriter | undefined;
  /** What the file may grow to before the next generation. */
  private sizeMax = 0;

  constructor(
    private readonly disk: Disk,
    private readonly directory: string,
    /** Those on the disk, in order. */
    private generations: readonly number[],
  ) {}

  /** How far the shapes had taken the log. */
  get position(): LogPosition {
    return this.taken;
  }

  /** Where the log must begin at the latest, for what the shapes have not taken by the checkpoint to be made from it. */
  get needs(): LogPosition {
    let position = this.taken;
    for (const { pace } of this.states.values()) position = minPosition(position, positionOf(pace, this.taken));
    return position;
  }

  /** Of the file that this process writes. */
  get bytes(): number {
    return this.writer?.size ?? 0;
  }

  /** What does not hold of the files that were found, in words. */
  get damage(): readonly string[] {
    return this.damaged;
  }

  shapes(): Iterable<ShapeState> {
    return this.states.values();
  }

  /** Takes the newest checkpoint that is whole. */
  async find(): Promise<void> {
    for (const generation of this.generations.toReversed()) {
      const path = this.pathOf(generation);
      const file = await this.disk.open(path, 'read');
      const found = await readCheckpoint(file, path, generation).finally(() => file.close());
      if (found.brokenAt !== undefined) this.damaged.push(`${path} does not hold from byte ${found.brokenAt} on`);
      if (found.position === undefined) continue;
      this.states = found.states;
      this.taken = found.position;
      return;
    }
  }

  /** No shape that was found is to be trusted: the next checkpoint begins with none. */
  forget(position: LogPosition): void {
    this.states.clear();
    this.taken = position;
  }

  /** Takes away all that was found, durably. */
  async clear(): Promise<void> {
    this.forget(LOG_START);
    await this.removeAll(this.generations);
    await this.disk.syncDirectory(this.directory);
    this.generations = [];
  }

  /** All or nothing; durable when it resolves. @throws {DiskError} it may count or not, and the next one begins a generation. */
  async write(checkpoint: Checkpoint): Promise<void> {
    try {
      await this.put(checkpoint);
    } catch (error) {
      await this.close().catch(passDiskError);
      throw error;
    }
  }

  async close(): Promise<void> {
    const { writer } = this;
    this.writer = undefined;
    await writer?.close();
  }

  private async put(checkpoint: Checkpoint): Promise<void> {
    const { writer } = this;
    if (writer === undefined || writer.size > this.sizeMax) {
      this.learn(checkpoint);
      await this.begin(checkpoint.position);
    } else {
      await this.append(writer, checkpoint);
      this.learn(checkpoint);
    }
  }

  private learn({ position, changed, removed }: Checkpoint): void {
    for (const handle of removed) this.states.delete(handle);
    for (const state of changed) this.states.set(state.handle, state);
    this.taken = position;
  }

  private async append(writer: CheckpointWriter, { position, changed, removed }: Checkpoint): Promise<void> {
    if (removed.length > 0) await writer.put(CHECKPOINT_FRAMES.removed, removed);
    await writer.putStates(changed, (handle) => this.states.get(handle));
    await writer.put(CHECKPOINT_FRAMES.closed, { position });
    await writer.sync();
  }

  /** The name appears only when all of it is durable, and the generations before go only when the name is. */
  private async begin(position: LogPosition): Promise<void> {
    await this.close();
    const generation = (this.generations.at(-1) ?? 0) + 1;
    const path = this.pathOf(generation);
    const file = await this.disk.open(`${path}.new`, 'write');
    const writer = (this.writer = new CheckpointWriter(file, generation));
    await file.truncate(0);
    await writer.put(CHECKPOINT_FRAMES.head, { format: CHECKPOINT_FORMAT, generation });
    await writer.putStates(this.states.values(), () => undefined);
    await writer.put(CHECKPOINT_FRAMES.closed, { position });
    await writer.sync();
    await this.disk.rename(`${path}.new`, path);
    await this.disk.syncDirectory(this.directory);
    await this.removeAll(this.generations);
    this.generations = [generation];
    this.sizeMax = GROWTH_BYTES_MIN + GROWTH_FACTOR * writer.size;
  }

  private async removeAll(generations: readonly number[]): Promise<void> {
    const unfinished = (await this.disk.list(this.directory)).filter((name) => UNFINISHED_PATTERN.test(name));
    for (const name of unfinished) await this.disk.removeFile(`${this.directory}/${name}`).catch(passMissing);
    for (const generation of generations) await this.disk.removeFile(this.pathOf(generation)).catch(passMissing);
  }

  private pathOf(generation: number): string {
    return checkpointPath(this.directory, generation);
  }
}
