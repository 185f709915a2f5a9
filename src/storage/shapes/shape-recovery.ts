/**
 * Shape recovery: the shapes after a stop of any kind are those of the last checkpoint, changed by the records that the
 * transaction log has behind it. A shape without its whole snapshot is dropped: nobody is there to finish it. One whose
 * files are missing as well: what asks for it next makes it anew.
 */
import type { LogPosition } from '../../model/log-position.ts';
import type { Handle } from '../../model/shape.ts';
import type { Checkpoints } from '../checkpoint/checkpoints.ts';
import { UnknownContentError } from '../errors.ts';
import type { CompletedSnapshot, ShapeRecord, Splice } from '../log/shape-record.ts';
import type { TransactionLog } from '../log/transaction-log.ts';
import type { FoundPacks } from '../packs/pack-paths.ts';
import { filedPart, generationOf, type LinesState } from './shape-lines.ts';
import type { SnapshotState } from './shape-logs.ts';
import type { ShapePaths, StoredFiles, StoredShapes } from './shape-paths.ts';
import { newShape } from './shape-table.ts';
import { withSplice } from './spliced-views.ts';
import type { ShapeState } from './stored-shape.ts';

export interface RecoveredShapes {
  readonly shapes: readonly ShapeState[];
  /** How far they have taken the log. */
  readonly position: LogPosition;
  /** Checkpointed, or with files, but no more: their files are to be discarded. */
  readonly dropped: readonly Handle[];
  /** Of the dropped, those that were whole but for a file that is missing. */
  readonly robbed: readonly Handle[];
  /** Of the dropped, those of which the log does not tell all. */
  readonly torn: readonly Handle[];
  /** Of shapes that are not dropped, generations of lines that no checkpoint counts, or not any more. */
  readonly leftovers: readonly Leftover[];
  /** Likewise, the numbers of the splices that left rows, where there are any. */
  readonly moved: ReadonlyMap<Handle, readonly number[]>;
  /** Of the shapes, those that differ from what the checkpoint says: the next one is to tell of them. */
  readonly changed: ReadonlySet<Handle>;
  /** Of the shapes, those that may have files of their own. */
  readonly filed: ReadonlySet<Handle>;
  /** As far as the device reads their directory. */
  readonly packs: FoundPacks;
  /** Directories that the device does not read. Shapes whose files should be there are not dropped: who reads one finds out. */
  readonly unread: ReadonlySet<string>;
}

export interface Leftover {
  readonly handle: Handle;
  readonly generation: number;
}

/** @param listing which files there are; by default they are looked for when the records were read. */
export async function recoverShapes(
  log: Pick<TransactionLog, 'records'>,
  checkpoints: Pick<Checkpoints, 'position' | 'shapes'>,
  paths: ShapePaths,
  listing?: Promise<StoredShapes>,
): Promise<RecoveredShapes> {
  const { position } = checkpoints;
  const states = new Map<Handle, ShapeState>();
  for (const state of checkpoints.shapes()) states.set(state.handle, state);
  const counted = new Map<Handle, ShapeState | undefined>(); // Of those that records tell of.
  const torn = new Set<Handle>();
  for await (const { record } of log.records(position)) {
    const { handle } = record;
    if (!counted.has(handle)) counted.set(handle, states.get(handle));
    if (record.type === 'shape.deleted') torn.delete(handle);
    if (!applyRecord(states, record)) torn.add(handle);
  }
  const { files: stored, unread, packs } = await (listing ?? paths.stored());
  const hasPack: HasPack = ({ pack }) => packs === undefined || packs.has(pack);
  const isUnknown = (handle: Handle): boolean => unread.size > 0 && unread.has(paths.directoryOf(handle));
  const [shapes, robbed, leftovers]: [ShapeState[], Handle[], Leftover[]] = [[], [], []];
  const moved = new Map<Handle, readonly number[]>();
  const [changed, filed] = [new Set<Handle>(), new Set<Handle>()];
  const dropped = new Set([...counted.keys(), ...stored.keys()].filter((handle) => !states.has(handle)));
  for (const state of states.values()) { // Of a hundred thousand each is looked at once.
    const { handle, snapshot, lines } = state;
    if (snapshot.state !== 'complete') {
      dropped.add(handle);
      continue;
    }
    const files = stored.get(handle);
    if (!isUnknown(handle) && !hasFiles(state, files, hasPack)) {
      robbed.push(handle);
      dropped.add(handle);
      continue;
    }
    shapes.push(state);
    if (counted.has(handle) && counted.get(handle) !== state) changed.add(handle);
    if (files !== undefined || isUnknown(handle)) filed.add(handle);
    if (files === undefined) continue;
    for (const generation of files.lines.keys()) if (generation !== generationOf(lines)) leftovers.push({ handle, generation });
    if (files.moved.length > 0) moved.set(handle, files.moved);
  }
  const found = { leftovers, moved, changed, filed, packs: packs ?? new Map(), unread };
  return { shapes, position, dropped: [...dropped], robbed, torn: [...torn], ...found };
}

type HasPack = (place: { readonly pack: number }) => boolean;

function hasFiles({ snapshot, lines }: ShapeState, files: StoredFiles | undefined, hasPack: HasPack): boolean {
  return hasRows(snapshot, files, hasPack) && hasLines(lines, files, hasPack);
}

function hasLines(lines: LinesState, files: StoredFiles | undefined, hasPack: HasPack): boolean {
  const hasTail = (lines.tail ?? []).every(hasPack);
  return hasTail && (filedPart(lines).count === 0 || files?.lines.get(generationOf(lines))?.size === 2);
}

function hasRows(snapshot: SnapshotState, files: StoredFiles | undefined, hasPack: HasPack): boolean {
  if (snapshot.state !== 'complete') return false;
  const { fewRows, packed } = snapshot;
  if (packed !== undefined) return hasPack(packed);
  return fewRows !== undefined || files?.hasSnapshot === true;
}

/** A record that the checkpoint knows already changes nothing. @returns false when one before it is missing: the shape is dropped then. */
export function applyRecord(states: Map<Handle, ShapeState>, record: ShapeRecord): boolean {
  const { handle } = record;
  const known = states.get(handle);
  switch (record.type) {
    case 'shape.created':
      if (known === undefined) states.set(handle, newShape(handle, record));
      return true;
    case 'shape.snapshotCompleted':
      if (known !== undefined && known.snapshot.state !== 'complete') states.set(handle, completed(known, record));
      return true;
    case 'shape.spliced':
      return known === undefined || applySplice(states, known, spliceOf(record));
    case 'shape.requested':
      if (known !== undefined) states.set(handle, { ...known, isInner: false });
      return true;
    case 'shape.deleted':
      states.delete(handle);
      return true;
    default:
      throw new UnknownContentError('The transaction log', `a record of type ${String((record as { type: unknown }).type)}`);
  }
}

function applySplice(states: Map<Handle, ShapeState>, known: ShapeState, splice: Splice): boolean {
  const views = withSplice(known.views, splice);
  if (views === undefined) states.delete(known.handle);
  else states.set(known.handle, { ...known, views });
  return views !== undefined;
}

function spliceOf({ number, place, through, views, pgSnapshot, first, rows, fewRows }: Splice): Splice {
  return { number, place, through, views, pgSnapshot, first, rows, ...(fewRows === undefined ? {} : { fewRows }) };
}

function completed(known: ShapeState, { chunks, pgSnapshot, position, views, fewRows }: CompletedSnapshot): ShapeState {
  // A checkpoint made since the snapshot was known may have more, with the lines up to there.
  const pace = known.snapshot.state === 'awaited' ? { ...known.pace, position } : known.pace;
  // Likewise of its views: a splice may come before the last row of the snapshot, and then its own query is filtered by.
  const begun = views === undefined || known.views.views.length > 0 ? {} : { views: { ...known.views, views } };
  const filter = known.views.taken > 0 ? {} : { filterBy: pgSnapshot };
  const here = fewRows === undefined ? {} : { fewRows };
  return { ...known, snapshot: { state: 'complete', pgSnapshot, chunks, ...here }, pace, ...filter, ...begun };
}
