/** CheckpointWriter: one generation on its way to the disk, a bounded frame at a time: between two of them others have a turn. */
import type { Handle } from '../../model/shape.ts';
import type { DiskFile } from '../disk/disk.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { BriefWriter } from './brief-changes.ts';
import { CHECKPOINT_FRAMES, encodeCheckpointFrame } from './checkpoint-frame.ts';
import { stateChange } from './checkpoint-states.ts';

/** One that has as much JSON takes no further shape. */
const FRAME_CHARACTERS = 64 * 1024;

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

  put(kind: number, payload: unknown): Promise<void> {
    return this.append(kind, JSON.stringify(payload));
  }

  /** @param lastOf what this generation says of a shape already. */
  async putStates(states: Iterable<ShapeState>, lastOf: (handle: Handle) => ShapeState | undefined): Promise<void> {
    let frame = new BriefWriter();
    let together: string[] = [];
    let characters = 0;
    for (const state of states) {
      const text = JSON.stringify(frame.brief(stateChange(state, lastOf(state.handle))));
      together.push(text);
      characters += text.length;
      if (characters < FRAME_CHARACTERS) continue;
      await this.append(CHECKPOINT_FRAMES.briefShapes, `[${together.join()}]`);
      [frame, together, characters] = [new BriefWriter(), [], 0];
    }
    if (together.length > 0) await this.append(CHECKPOINT_FRAMES.briefShapes, `[${together.join()}]`);
  }

  sync(): Promise<void> {
    return this.file.sync();
  }

  close(): Promise<void> {
    return this.file.close();
  }

  private async append(kind: number, json: string): Promise<void> {
    const frame = encodeCheckpointFrame(this.generation, this.written, kind, json);
    await this.file.append(frame);
    this.written += frame.length;
  }
}
