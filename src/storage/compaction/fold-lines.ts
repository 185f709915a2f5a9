/**
 * Folding the first lines of a log: they are walked through twice, once to see what becomes of each, and once to write what stays. So
 * nothing is held of a line but while another is on its way that it goes into.
 */
import { SNAPSHOT_END } from '../../model/log-offset.ts';
import type { Lsn } from '../../model/lsn.ts';
import type { LinesSource } from '../shapes/lines-source.ts';
import type { CompactedLines } from './compacted-lines.ts';
import { FoldPlan } from './fold-plan.ts';
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

/** Of rows while they are looked through, and of lines that are to go into others. */
const HELD_BYTES_MAX = 64 * 1024 * 1024;
/** The plan goes by an estimate, which columns that are updated one by one exceed: beyond this nothing is folded. */
const FOLDED_BYTES_MAX = 4 * HELD_BYTES_MAX;

export async function planOf({ source, bytes }: Region, folder: LineFolder, turn: () => Promise<void>): Promise<FoldPlan> {
  const plan = new FoldPlan(HELD_BYTES_MAX);
  for await (const line of linesBetween(source, SNAPSHOT_END, bytes, turn)) plan.take(folder.read(line.bytes), line.bytes.length + 1);
  return plan;
}

/** @returns false when too much would have to be held: what was written then is of no use. */
export async function writeFolded(
  { source, bytes }: Region,
  plan: FoldPlan,
  folder: LineFolder,
  lines: CompactedLines,
  turn: () => Promise<void>,
): Promise<boolean> {
  const folded = new FoldedLines(folder);
  let number = 0;
  for await (const { address, bytes: line } of linesBetween(source, SNAPSHOT_END, bytes, turn)) {
    const fate = plan.fateOf(number);
    if (fate === 'stays') await lines.compacted(address, folded.take(number, line));
    else if (fate === 'goes') folded.drop(number);
    else folded.hold(number, line, fate.into);
    if (folded.bytes > FOLDED_BYTES_MAX) return false;
    number += 1;
  }
  return true;
}

/** By the number of the line that they are to go into. */
class FoldedLines {
  private readonly held = new Map<number, Uint8Array>();
  bytes = 0;

  constructor(private readonly folder: LineFolder) {}

  /** Line `number`, with what was to go into it. */
  take(number: number, line: Uint8Array): Uint8Array {
    const earlier = this.held.get(number);
    if (earlier === undefined) return line;
    this.drop(number);
    return this.folder.fold(earlier, line);
  }

  drop(number: number): void {
    this.bytes -= this.held.get(number)?.length ?? 0;
    this.held.delete(number);
  }

  hold(number: number, line: Uint8Array, into: number): void {
    const folded = this.take(number, line);
    const whole = folded === line ? new Uint8Array(line) : folded; // The line is a part of a larger piece.
    this.held.set(into, whole);
    this.bytes += whole.length;
  }
}
