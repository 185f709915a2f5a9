/**
 * RecentReads: what was read from the files more than once lately, and is small. It is kept as it was verified, and given in one piece to
 * whoever asks next: to read ten kilobytes costs far more than to send them.
 *
 * A name says whose bytes it names, from where and how far: what it names never changes, and no handle is given twice. So nothing is taken
 * out for a change, for a compaction, or for the end of a shape, whose reads are refused before anybody looks here. It goes when nobody
 * asks for it, or when all together is too much. And what was asked for once is not kept: whoever reads a long log, chunk by chunk,
 * pushes nothing out that others ask for again and again.
 */
import type { Clock } from '../../base/clock.ts';
import { fnvHash } from '../../base/fnv-hash.ts';
import { joinedBytes } from '../../base/joined-bytes.ts';
import { RecentMap } from '../../base/recent-map.ts';
import type { EntryRun } from '../../model/log-entry.ts';
import { PIECE_BYTES } from './piece.ts';

const KEPT_BYTES_MAX = 16 * 1024 * 1024;
/** What is kept of a read besides its bytes, by and large. */
const ENTRY_BYTES = 500;
/** Whoever sends them keeps them as they are sent, too. */
const COPIES = 2;
const IDLE_MS_MAX = 120_000;
/** So many of the names that were asked for are known by their hashes. Two of the same slot push each other out: one more read each. */
const ASKED_COUNT = 4096;

export class RecentReads {
  private readonly kept: RecentMap<readonly EntryRun[]>;
  private readonly asked = new Uint32Array(ASKED_COUNT);

  constructor(clock: Pick<Clock, 'nowMs'>, keptBytesMax = KEPT_BYTES_MAX) {
    this.kept = new RecentMap(clock, { weightMax: keptBytesMax, idleMsMax: IDLE_MS_MAX });
  }

  get(name: string): readonly EntryRun[] | undefined {
    return this.kept.get(name);
  }

  /** The same `runs`, which are all of what `name` names. When they were asked for before and are read to their end, they are kept. */
  async *noting(name: string, runs: AsyncIterable<EntryRun>): AsyncGenerator<EntryRun> {
    let whole: EntryRun[] | undefined = this.wasAsked(name) ? [] : undefined;
    let size = 0;
    for await (const run of runs) {
      size += run.bytes.length;
      if (size > PIECE_BYTES) whole = undefined;
      whole?.push(ownRun(run));
      yield run;
    }
    if (whole !== undefined) this.keep(name, whole, size);
  }

  /** The same of `runs` that lie in memory, and are few. */
  note(name: string, runs: readonly EntryRun[]): void {
    if (this.wasAsked(name)) this.keep(name, runs.map(ownRun), runs.reduce((size, { bytes }) => size + bytes.length, 0));
  }

  private keep(name: string, runs: readonly EntryRun[], size: number): void {
    this.kept.set(name, together(runs), COPIES * size + ENTRY_BYTES);
  }

  private wasAsked(name: string): boolean {
    const hash = fnvHash(name);
    const slot = hash % ASKED_COUNT;
    const isKnown = this.asked[slot] === hash;
    this.asked[slot] = hash;
    return isKnown;
  }
}

/** What is given on may be written over by the next read, or keep other memory than its own. */
function ownRun(run: EntryRun): EntryRun {
  return { ...run, bytes: new Uint8Array(run.bytes) };
}

/** Those of one kind that lie next to each other become one. */
function together(runs: readonly EntryRun[]): readonly EntryRun[] {
  const joined: EntryRun[] = [];
  for (const run of runs) {
    const last = joined.at(-1);
    if (last?.kind === run.kind) joined.splice(-1, 1, { ...run, bytes: joinedBytes([last.bytes, run.bytes]) });
    else joined.push(run);
  }
  return joined;
}
