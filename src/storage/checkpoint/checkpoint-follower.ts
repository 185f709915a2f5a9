/**
 * CheckpointFollower: what the shapes are by the checkpoints of another process, which goes on to write them. A file is read on from where
 * the last look ended, so a look costs what was written since, and nothing where nothing was.
 *
 * The number of a generation does not tell which file it is: whoever begins with an empty directory begins with the first one. So a file is
 * read on where it still has, before that place, what was read there; else it is another one.
 */
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { passMissing } from '../errors.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { readCheckpoint, type KnownCheckpoint } from './checkpoint-reader.ts';
import { checkpointPath, findGenerations } from './checkpoints.ts';

/** The end of a checkpoint, with its position and the last of its shapes: as much as none has in common with another one. */
const TAIL_BYTES = 512;

export class CheckpointFollower {
  private generation: number | undefined;
  private known: KnownCheckpoint = nothingKnown();
  /** What stands before the end of what is known. */
  private tail: Uint8Array = new Uint8Array();
  /** Of the file, by the last look. */
  private size = 0;
  /** Learnt by a look that failed behind that, so nobody was told of them. */
  private readonly untold = new Set<Handle>();

  /** @param begins asked before a generation is read for the first time: it may keep that from being read. */
  constructor(
    private readonly disk: Pick<Disk, 'list' | 'open'>,
    private readonly directory: string,
    private readonly begins: () => Promise<unknown> = () => Promise.resolve(),
  ) {}

  /** By the last look. */
  get states(): ReadonlyMap<Handle, ShapeState> {
    return this.known.states;
  }

  /**
   * @returns the handles of which something was written since.
   * @throws {UnknownContentError | DiskError} what `begins` throws, too; nobody need be told before the next look, which reads all anew.
   */
  async look(): Promise<ReadonlySet<Handle>> {
    try {
      await this.readNewest();
    } catch (error) {
      this.generation = undefined;
      throw error;
    }
    const told = new Set(this.untold);
    this.untold.clear();
    return told;
  }

  private async readNewest(): Promise<void> {
    const generation = (await findGenerations(this.disk, this.directory)).at(-1);
    if (generation === undefined) return;
    const path = checkpointPath(this.directory, generation);
    const file = await this.disk.open(path, 'read').catch(passMissing);
    if (file === undefined) return; // The next generation is there by now.
    try {
      if (generation !== this.generation) await this.readAnew(file, path, generation);
      else if (file.size !== this.size) await this.readOn(file, path, generation);
    } finally {
      await file.close();
    }
  }

  private async readOn(file: DiskFile, path: string, generation: number): Promise<void> {
    const { size } = file;
    if (!(await this.isSame(file))) return this.readAnew(file, path, generation);
    this.known = await readCheckpoint(file, path, generation, this.known, (handle) => this.untold.add(handle));
    await this.noteEnd(file, size);
  }

  private async readAnew(file: DiskFile, path: string, generation: number): Promise<void> {
    const { size } = file;
    await this.begins();
    const found = await readCheckpoint(file, path, generation, nothingKnown());
    if (found.position === undefined) return;
    for (const handle of this.known.states.keys()) this.untold.add(handle);
    for (const handle of found.states.keys()) this.untold.add(handle);
    this.known = found;
    this.generation = generation;
    await this.noteEnd(file, size);
  }

  private async isSame(file: DiskFile): Promise<boolean> {
    return file.size >= this.known.end && Buffer.compare(await this.tailOf(file), this.tail) === 0;
  }

  private async noteEnd(file: DiskFile, size: number): Promise<void> {
    this.tail = Uint8Array.from(await this.tailOf(file));
    this.size = size;
  }

  private tailOf(file: DiskFile): Promise<Uint8Array> {
    const { end } = this.known;
    const from = Math.max(0, end - TAIL_BYTES);
    return file.read(from, end - from);
  }
}

function nothingKnown(): KnownCheckpoint {
  return { position: undefined, states: new Map(), end: 0 };
}
