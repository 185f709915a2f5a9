/** CheckpointWriter: one generation on its way to the disk, a bounded frame at a time: between two of them others have a turn. */
import type { Handle } from '../../model/shape.ts';
import type { DiskFile } from '../disk/disk.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { CHECKPOINT_FRAMES, encodeCheckpointFrame } from './checkpoint-frame.ts';
import { stateChange, type StateChange } from './checkpoint-states.ts';

const FRAME_BYTES = 64 * 1024;

export class CheckpointWriter {
  private written = 0;

  constructor(
    /** Empty; the writer closes it. */
    private readonly file: DiskFile,
    private readonly generation: number,
  ) {}

  get size(): number {
    return this.written;
  }

  async put(kind: number, payload: unknown): Promise<void> {
    const frame = encodeCheckpointFrame(this.generation, this.written, kind, payload);
    await this.file.append(frame);
    this.written += frame.length;
  }

  /** @param lastOf what this generation says of a shape already. */
  async putStates(states: Iterable<ShapeState>, lastOf: (handle: Handle) => ShapeState | undefined): Promise<void> {
    let together: StateChange[] = [];
    let bytes = 0;
    for (const state of states) {
      const change = stateChange(state, lastOf(state.handle));
      together.push(change);
      bytes += weightOf(change);
      if (bytes < FRAME_BYTES) continue;
      await this.put(CHECKPOINT_FRAMES.shapes, together);
      together = [];
      bytes = 0;
    }
    if (together.length > 0) await this.put(CHECKPOINT_FRAMES.shapes, together);
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** Bytes of its JSON, about. */
function weightOf({ definition, snapshot, chunkEnds = [], tail = [] }: StateChange): number {
  const sums = snapshot?.state === 'complete' ? snapshot.chunks.reduce((count, chunk) => count + chunk.sums.length, 0) : 0;
  const definitionBytes = definition === undefined ? 0 : 150 + 60 * definition.reads.length;
  return 250 + definitionBytes + 11 * sums + 50 * chunkEnds.length + 90 * tail.length;
}
