/** The transaction log on a disk: segments of frames, synced in groups, the newest transactions kept in memory. */
import { LOG_START, type LogPosition } from '../../model/log-position.ts';
import type { PartitionTree } from '../../model/partition-tree.ts';
import type { TableMembership } from '../../model/table-membership.ts';
import type { Disk } from '../disk/disk.ts';
import type { DiskStanding } from '../disk/disk-standing.ts';
import { makeDurably } from '../disk/durable-directory.ts';
import { openWitness } from './durable-witness.ts';
import { FRAME_KINDS } from './frame.ts';
import { encodeJson, LOG_FORMAT } from './frame-payloads.ts';
import { FramedLog, type LogParts } from './framed-log.ts';
import { Layouts } from './layouts.ts';
import { LogReader } from './log-reader.ts';
import { recoverLog } from './log-recovery.ts';
import { LogWriter, type Preamble } from './log-writer.ts';
import { RecentCommits } from './recent-commits.ts';
import { SegmentFrames } from './segment-frames.ts';
import { Segments } from './segments.ts';
import { TableFacts } from './table-facts.ts';
import { TailCache } from './tail-cache.ts';
import type { TransactionLog } from './transaction-log.ts';

export interface DiskLogOptions {
  readonly disk: Disk;
  readonly standing: DiskStanding;
  readonly directory: string;
  readonly segmentBytesMax: number;
  /** What the newest transactions may take of the memory, and of the disk when nobody needs them any more. */
  readonly tailBytesMax: number;
  /** Recovery reads the log from here. */
  readonly from: LogPosition;
  /** The last checkpoint: up to here the log was durable. */
  readonly durable: LogPosition;
  /** Told how many segments were read, of how many that are to be. */
  readonly logRead?: ((done: number, of: number) => void) | undefined;
}

/** @throws {LogCorruptError | DiskError | StorageVersionError} nothing was changed, unless the disk failed in between. */
export async function openDiskLog(options: DiskLogOptions): Promise<TransactionLog> {
  const { disk, directory } = options;
  await makeDurably(disk, directory);
  const witness = await openWitness(disk, directory);
  try {
    return await recover(options, new Segments(disk, directory, witness));
  } catch (error) {
    await witness.close();
    throw error;
  }
}

async function recover(options: DiskLogOptions, segments: Segments): Promise<TransactionLog> {
  const { standing, segmentBytesMax, tailBytesMax, from, durable, logRead } = options;
  const layouts = new Layouts();
  const [trees, memberships] = [new TableFacts<PartitionTree>(), new TableFacts<TableMembership>()];
  const recent = new RecentCommits(tailBytesMax);
  const { end, lastFirst, stream } = await recoverLog(segments, from, durable, { layouts, trees, memberships, recent, logRead });
  const preamble = (first: LogPosition): Iterable<Preamble> => preambleOf(first, log, { layouts, trees, memberships });
  const sink = new LogWriter(segments, standing, segmentBytesMax, preamble, end, lastFirst ?? end, end);
  const tail = new TailCache(end, tailBytesMax);
  const reader = new LogReader(new SegmentFrames(segments));
  const log = new FramedLog({ sink, reader, layouts, trees, memberships, tail, recent, stream });
  if (lastFirst === undefined) sink.beginSegment(LOG_START);
  await log.sync();
  segments.witness.tell(sink.end); // What was found is durable by now, and a power cut may have left an old witness.
  return log;
}

/** A segment can be read without those before it. */
function* preambleOf(
  first: LogPosition,
  { heldStream }: FramedLog,
  { layouts, trees, memberships }: Pick<LogParts, 'layouts' | 'trees' | 'memberships'>,
): Iterable<Preamble> {
  yield { kind: FRAME_KINDS.segment, payload: encodeJson({ format: LOG_FORMAT, first, ...heldStream }) };
  for (const layout of layouts.all()) yield { kind: FRAME_KINDS.layout, payload: encodeJson(layout) };
  for (const tree of trees.all()) yield { kind: FRAME_KINDS.tree, payload: encodeJson(tree) };
  for (const membership of memberships.all()) yield { kind: FRAME_KINDS.membership, payload: encodeJson(membership) };
}
