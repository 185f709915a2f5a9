/**
 * Reads a checkpoint file: the last checkpoint in it that is whole. What lies behind that counts for nothing.
 *
 * Ten thousand shapes are read at a time, each with a definition of its own, and they are a checkpoint by the last frame alone. What is
 * parsed is taken apart at once, and what the definitions have in common is held once: all else goes with its frame, before a collection of
 * garbage has carried it around.
 */
import { invariant } from '../../base/invariant.ts';
import { DefinitionParts } from '../../model/definition-parts.ts';
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { DiskFile } from '../disk/disk.ts';
import { UnknownContentError } from '../errors.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { BriefReader, type BriefChange } from './brief-changes.ts';
import { CHECKPOINT_FRAMES, checkpointFrameAt, isKnownKind, type CheckpointFrame } from './checkpoint-frame.ts';
import { changedState, type StateChange } from './checkpoint-states.ts';

export interface FoundCheckpoint {
  /** Undefined when no checkpoint in the file is whole. */
  readonly position: LogPosition | undefined;
  readonly states: Map<Handle, ShapeState>;
  /** Behind the last checkpoint that is whole, in bytes. */
  readonly end: number;
  /** From where on the file does not hold; undefined when all of it does. */
  readonly brokenAt: number | undefined;
}

/** Changes when a reader of the old form would misread the new one. */
export const CHECKPOINT_FORMAT = 1;
const BLOCK_BYTES = 1024 * 1024;

/** What a file is known to say up to `end`. */
export type KnownCheckpoint = Pick<FoundCheckpoint, 'position' | 'states' | 'end'>;

const NOTHING_KNOWN = { position: undefined, end: 0 };

/**
 * @param known what was read of the same file before: its states are changed, to what the file says now.
 * @throws {UnknownContentError} another version wrote it.
 */
export async function readCheckpoint(
  file: DiskFile,
  path: string,
  generation: number,
  known: KnownCheckpoint = { ...NOTHING_KNOWN, states: new Map() },
  learned: (handle: Handle) => void = () => {},
): Promise<FoundCheckpoint> {
  const { states } = known;
  let { position, end } = known;
  const parts = new DefinitionParts();
  let learnt: Learnt = new Map();
  let [at, isClosed] = [end, true];
  for await (const frame of framesOf(file, generation, end)) {
    checkKind(frame, at, path);
    at += frame.bytes;
    if (frame.kind !== CHECKPOINT_FRAMES.closed) {
      learn(learnt, frame, { states, parts });
      isClosed = false;
      continue;
    }
    take(states, learnt);
    for (const handle of learnt.keys()) learned(handle);
    [learnt, isClosed] = [new Map(), true];
    ({ position } = frame.payload as { position: LogPosition });
    end = at;
  }
  const isWhole = at === file.size && at > 0 && isClosed;
  return { position, states, end, brokenAt: isWhole ? undefined : at };
}

/** Ends where nothing holds any more. */
async function* framesOf(file: DiskFile, generation: number, from: number): AsyncGenerator<CheckpointFrame> {
  let block: Buffer = Buffer.alloc(0);
  let blockStart = from;
  for (let at = from; at < file.size; ) {
    const found = checkpointFrameAt(generation, block, at - blockStart, at);
    if (found === 'broken') return;
    if (typeof found === 'number') {
      if (at + found > file.size) return;
      const read = await file.read(at, Math.max(found, BLOCK_BYTES));
      if (read.length < found) return;
      block = Buffer.from(read.buffer, read.byteOffset, read.byteLength);
      blockStart = at;
      continue;
    }
    yield found;
    at += found.bytes;
  }
}

function checkKind({ kind, payload }: CheckpointFrame, at: number, path: string): void {
  const isHead = kind === CHECKPOINT_FRAMES.head;
  if (at === 0 && (!isHead || (payload as { format: number }).format !== CHECKPOINT_FORMAT)) {
    throw new UnknownContentError(path, 'a beginning of another format');
  }
  if (!isKnownKind(kind)) throw new UnknownContentError(path, `a frame of kind ${kind}`);
}

/** What is said of shapes behind the last checkpoint that is whole; undefined for one that is no more. */
type Learnt = Map<Handle, ShapeState | undefined>;

interface Ground {
  /** By the last checkpoint that is whole. */
  readonly states: ReadonlyMap<Handle, ShapeState>;
  readonly parts: DefinitionParts;
}

function learn(learnt: Learnt, { kind, payload }: CheckpointFrame, { states, parts }: Ground): void {
  if (kind === CHECKPOINT_FRAMES.removed) for (const handle of payload as Handle[]) learnt.set(handle, undefined);
  if (kind === CHECKPOINT_FRAMES.shapes) for (const change of payload as StateChange[]) learnShape(learnt, sharing(change, parts), states);
  if (kind !== CHECKPOINT_FRAMES.briefShapes) return;
  const reader = new BriefReader(parts);
  for (const change of payload as BriefChange[]) learnShape(learnt, reader.whole(change), states);
}

function sharing(change: StateChange, parts: DefinitionParts): StateChange {
  return change.definition === undefined ? change : { ...change, definition: parts.shared(change.definition) };
}

function learnShape(learnt: Learnt, change: StateChange, states: Ground['states']): void {
  const { handle } = change;
  const last = learnt.has(handle) ? learnt.get(handle) : states.get(handle);
  const state = changedState(change, last);
  invariant(state !== undefined, `a generation says first what ${handle} is`);
  learnt.set(handle, state);
}

function take(states: Map<Handle, ShapeState>, learnt: Learnt): void {
  for (const [handle, state] of learnt) {
    if (state === undefined) states.delete(handle);
    else states.set(handle, state);
  }
}
