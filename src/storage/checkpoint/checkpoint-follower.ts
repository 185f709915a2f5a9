/**
 * CheckpointFollower: what the shapes are by the checkpoints of another process, which goes on to write them. A file is read on from where
 * the last look ended, so a look costs what was written since, and nothing where nothing was.
 */
import type { Handle } from '../../model/shape.ts';
import type { Disk, DiskFile } from '../disk/disk.ts';
import { passMissing } from '../errors.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { readCheckpoint, type KnownCheckpoint } from './checkpoint-reader.ts';
import { checkpointPath, findGenerations } from './checkpoints.ts';

export class CheckpointFollower {
  private generation: number | undefined;
  private known: KnownCheckpoint = nothingKnown();

  constructor(
    private readonly disk: Pick<Disk, 'list' | 'open'>,
    private readonly directory: string,
  ) {}

  /** By the last look. */
  get states(): ReadonlyMap<Handle, ShapeState> {
    return this.known.states;
  }

  /** @returns the handles of which something was written since. @throws {UnknownContentError | DiskError} nothing was learnt. */
  async look(): Promise<ReadonlySet<Handle>> {
    const generation = (await findGenerations(this.disk, this.directory)).at(-1);
    if (generation === undefined) return new Set();
    const path = checkpointPath(this.directory, generation);
    const file = await this.disk.open(path, 'read').catch(passMissing);
    if (file === undefined) return new Set(); // The next generation is there by now.
    try {
      return generation === this.generation ? await this.readOn(file, path, generation) : await this.readAnew(file, path, generation);
    } finally {
      await file.close();
    }
  }

  private async readOn(file: DiskFile, path: string, generation: number): Promise<ReadonlySet<Handle>> {
    const learned = new Set<Handle>();
    if (file.size > this.known.end) this.known = await readCheckpoint(file, path, generation, this.known, (handle) => learned.add(handle));
    return learned;
  }

  private async readAnew(file: DiskFile, path: string, generation: number): Promise<ReadonlySet<Handle>> {
    const found = await readCheckpoint(file, path, generation, nothingKnown());
    if (found.position === undefined) return new Set();
    const learned = new Set([...this.known.states.keys(), ...found.states.keys()]);
    this.generation = generation;
    this.known = found;
    return learned;
  }
}

function nothingKnown(): KnownCheckpoint {
  return { position: undefined, states: new Map(), end: 0 };
}
