/**
 * What a reader of one shape's log is given: a chunk of its snapshot, or the lines behind an offset. What there is to read is decided at
 * once; bytes that come later are of ranges fixed then.
 */
import { invariant } from '../../base/invariant.ts';
import type { EntryRun, EntryRuns, LogEntry } from '../../model/log-entry.ts';
import { BEFORE_ALL, compareOffsets, snapshotChunkEnd, snapshotChunkIndex, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import { entriesOf } from './entry-split.ts';
import type { FiledLines } from './filed-lines.ts';
import { linesInSteps } from './line-steps.ts';
import { countedRuns, type OpenReads } from './open-reads.ts';
import type { RecentReads } from './recent-reads.ts';
import type { ShapeLines } from './shape-lines.ts';
import type { EntryGroups, ShapeRead, SnapshotState } from './shape-logs.ts';
import type { ShapeStore } from './shape-store.ts';
import type { SnapshotChunks } from './snapshot-chunks.ts';

/** Of the lines in memory, what a reader is given at once: more than this it takes step by step, at its own pace. */
const WAITING_BYTES_MAX = 1024 * 1024;

/** A log as it stands. */
export interface ReadSource {
  readonly handle: Handle;
  readonly store: Pick<ShapeStore, 'lines'>;
  readonly lines: ShapeLines;
  readonly filed: FiledLines;
  readonly chunks: SnapshotChunks;
  readonly snapshot: SnapshotState;
  /** Undefined where all is in memory. */
  readonly recent: RecentReads | undefined;
  /** Asked when one begins. */
  readonly reads: () => OpenReads;
  /** Whoever reads is to break off. */
  readonly areCut: () => boolean;
}

type Standing = Pick<ReadSource, 'snapshot' | 'chunks'> & { readonly lines: Pick<ShapeLines, 'end'> };

/** What `readFrom` would come to. Nothing is read for it, and nothing is noted as read. */
export function outcomeFrom(source: Standing, after: LogOffset): ShapeRead['outcome'] {
  const chunk = chunkBehind(after);
  if (chunk !== undefined && source.snapshot.state === 'awaited') return 'notStarted';
  if (chunk !== undefined && mayHaveChunk(source, chunk)) return 'entries';
  return compareOffsets(after, source.lines.end) > 0 ? 'beyond' : 'entries';
}

export function readFrom(source: ReadSource, after: LogOffset): ShapeRead {
  const outcome = outcomeFrom(source, after);
  if (outcome !== 'entries') return { outcome };
  const chunk = chunkBehind(after);
  return chunk !== undefined && mayHaveChunk(source, chunk) ? readChunk(source, chunk) : readLines(source, after);
}

/** The chunk of the snapshot that a reader is to get there, if there is one. Undefined behind the snapshot. */
function chunkBehind(after: LogOffset): number | undefined {
  if (after === BEFORE_ALL) return 0;
  const chunk = snapshotChunkIndex(after);
  return chunk === undefined ? undefined : chunk + 1;
}

/** A reader that has the last row goes on with the log at once: it need not wait until the snapshot is durable. */
function mayHaveChunk({ snapshot, chunks }: Pick<ReadSource, 'snapshot' | 'chunks'>, index: number): boolean {
  if (snapshot.state === 'writing') return chunks.mayGrowTo(index);
  return snapshot.state === 'complete' && index < snapshot.chunks.length;
}

function readChunk(source: ReadSource, index: number): ShapeRead {
  const { handle, chunks, snapshot, reads } = source;
  const end = snapshotChunkEnd(index);
  const entries = (bytes: number) => entriesOf(chunks.read(index, bytes), end);
  const begin = (): EntryRuns => chunks.readNow(index) ?? countedRuns(reads, chunks.read(index));
  const runs = snapshot.state === 'complete' ? lately(source, `${handle}/${index}`, begin) : unshared(begin());
  return { outcome: 'entries', ...runs, entries, end, upToDate: false };
}

function readLines(source: ReadSource, after: LogOffset): ShapeRead {
  const { handle, lines, filed, store, reads, areCut } = source;
  const { lines: files } = store; // Those of now: a compaction may bring others.
  const { offset: end, bytes: endBytes } = lines.readEnd(after);
  const isFiled = filed.has(after);
  const areAllFiled = isFiled && endBytes <= filed.end.bytes;
  const inMemory = areAllFiled ? [] : lines.buffer.runs(after, end);
  const mayWaitInMemory = !isFiled && inMemory.reduce((sum, { bytes }) => sum + bytes.length, 0) <= WAITING_BYTES_MAX;
  const reading = { handle, buffer: lines.buffer, filed, isGone: areCut };
  const begin = (): AsyncIterable<EntryRun> => countedRuns(reads, linesInSteps(reading, { source: files, after, end, endBytes }));
  const runs = mayWaitInMemory ? unshared(inMemory) : lately(source, `${handle}.${lines.generation}/${after}-${endBytes}`, begin);
  const filedBytes = Math.min(endBytes, filed.end.bytes);
  const entries = (bytes: number): EntryGroups => {
    invariant(bytes === 0, 'a line has an offset of its own: nobody stands between two of them');
    const kept = inMemory.map((run) => run.entries());
    return isFiled ? together(files.readEntries(after, filedBytes), kept) : kept;
  };
  return { outcome: 'entries', ...runs, entries, end, upToDate: end === lines.end };
}

interface ReadRuns {
  readonly runs: EntryRuns;
  readonly areKept: boolean;
}

/** @param name of these runs alone, for ever. */
function lately({ recent }: ReadSource, name: string, begin: () => EntryRuns): ReadRuns {
  const kept = recent?.get(name);
  if (kept !== undefined) return { runs: kept, areKept: true };
  const runs = begin();
  if (isStream(runs)) return unshared(recent?.noting(name, runs) ?? runs);
  recent?.note(name, runs);
  return unshared(runs);
}

function isStream(runs: EntryRuns): runs is AsyncIterable<EntryRun> {
  return !Array.isArray(runs);
}

/** For this one reader. */
function unshared(runs: EntryRuns): ReadRuns {
  return { runs, areKept: false };
}

async function* together(...parts: readonly EntryGroups[]): AsyncIterable<Iterable<LogEntry>> {
  for (const part of parts) yield* part;
}
