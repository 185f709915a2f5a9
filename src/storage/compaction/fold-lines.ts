/**
 * Folding the first lines of a log: they are walked through twice, once to see what becomes of each, and once to write what stays. So
 * nothing is held of a line but while another is on its way that it goes into.
 */
import { SNAPSHOT_END } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import { indexEntriesOf } from '../shapes/line-pieces.ts';
import type { LinesSource } from '../shapes/lines-source.ts';
import type { ChunkEnd } from '../shapes/shape-lines.ts';
import type { CompactedLines } from './compacted-lines.ts';
import { FoldPlan } from './fold-plan.ts';
import { KeptEnds } from './kept-ends.ts';
import type { LineFolder } from './line-folder.ts';
import { linesBetween } from './line-walk.ts';

/** The first lines of a log, up to the end of a transaction. */
export interface Region {
  readonly source: LinesSource;
  readonly bytes: number;
  readonly count: number;
  /** Of its last transaction. */
  readonly lsn: Lsn;
}

/** Where the chunks of a log end until now. */
export type OldEnds = readonly ChunkEnd[];

/** How lines are folded. */
export interface Folding {
  readonly folder: LineFolder;
  /** Of rows while they are looked through, and of lines that are to go into others; and as much of numbers, one for each line. */
  readonly heldBytesMax: number;
  /** Of one transaction, so much may be in one chunk; and what is left until the next end of one. */
  readonly unbrokenBytesMax: number;
  /** Awaited between steps. @throws when there are to be no more. */
  readonly turn: () => Promise<void>;
}

/** The plan goes by an estimate, which columns that are updated one by one exceed: beyond so many times that nothing is folded. */
const FOLDED_FACTOR_MAX = 4;

export interface Planned {
  readonly plan: FoldPlan;
  /** The first transactions of what was to be looked at: fewer when it has more lines than the plan holds. */
  readonly region: Region;
}

export async function planOf(region: Region, ends: OldEnds, { folder, heldBytesMax, unbrokenBytesMax, turn }: Folding): Promise<Planned> {
  const { source } = region;
  const plan = new FoldPlan(heldBytesMax);
  const kept = new KeptEnds(ends, unbrokenBytesMax);
  let at: Region | undefined;
  for await (const { address, bytes: line } of linesBetween(source, SNAPSHOT_END, region.bytes, turn)) {
    const { lsn } = address;
    const { bytes, count } = at ?? NOWHERE;
    if (at !== undefined && plan.isFull && lsn !== at.lsn) return { plan, region: at };
    if (kept.endBefore(address, bytes) !== undefined) plan.forgetRows();
    plan.take(folder.read(line), line.length + 1);
    at = { source, lsn, bytes: bytes + line.length + 1, count: count + indexEntriesOf(line.length + 1) };
  }
  return { plan, region };
}

/**
 * @param writtenBytesMax so much may be left.
 * @returns false when that is more, or when too much would have to be held: what was written then is of no use.
 */
export async function writeFolded(
  { plan, region: { source, bytes } }: Planned,
  ends: OldEnds,
  lines: CompactedLines,
  writtenBytesMax: number,
  { folder, heldBytesMax, unbrokenBytesMax, turn }: Folding,
): Promise<boolean> {
  const folded = new FoldedLines(folder);
  const foldedBytesMax = FOLDED_FACTOR_MAX * heldBytesMax;
  const kept = new KeptEnds(ends, unbrokenBytesMax);
  let [number, at] = [0, 0];
  for await (const { address, bytes: line } of linesBetween(source, SNAPSHOT_END, bytes, turn)) {
    const end = kept.endBefore(address, at);
    if (end !== undefined) lines.endChunk(end);
    const fate = plan.fateOf(number);
    if (fate === 'stays') await lines.compacted(address, folded.take(number, line));
    else if (fate === 'goes') folded.drop(number);
    else folded.hold(number, line, fate.into);
    if (folded.bytes > foldedBytesMax || lines.bytes > writtenBytesMax) return false;
    number += 1;
    at += line.length + 1;
  }
  return true;
}

const NOWHERE = { bytes: 0, count: 0 };

/**
 * By the number of the line that they are to go into: parts, the earliest first, each more than twice as large as the next. So a large
 * update is not gone through again for each small one behind it.
 */
class FoldedLines {
  private readonly held = new Map<number, readonly Uint8Array[]>();
  bytes = 0;

  constructor(private readonly folder: LineFolder) {}

  /** Line `number`, with what was to go into it. */
  take(number: number, line: Uint8Array): Uint8Array {
    return this.release(number).reduceRight((later, earlier) => this.folder.fold(earlier, later), line);
  }

  drop(number: number): void {
    this.release(number);
  }

  hold(number: number, line: Uint8Array, into: number): void {
    const parts = [...this.release(number)];
    let last: Uint8Array = new Uint8Array(line); // The line is a part of a larger piece.
    for (let before = parts.at(-1); before !== undefined && before.length <= 2 * last.length; before = parts.at(-1)) {
      last = this.folder.fold(before, last);
      parts.pop();
    }
    parts.push(last);
    this.held.set(into, parts);
    this.bytes += sizeOf(parts);
  }

  private release(number: number): readonly Uint8Array[] {
    const parts = this.held.get(number) ?? [];
    this.held.delete(number);
    this.bytes -= sizeOf(parts);
    return parts;
  }
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, { length }) => sum + length, 0);
}
