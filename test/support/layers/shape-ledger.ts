/**
 * ShapeLedger: what a reader of one shape was told so far, entry by entry, folded by the letter of the protocol at every step. What is
 * told otherwise when it is read again, or what the protocol does not allow, is kept as a mistake.
 */
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { BEFORE_ALL, compareOffsets, isInSnapshot } from '../../../src/model/log-offset.ts';
import type { ShapeDefinition } from '../../../src/model/shape.ts';
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';
import { ProtocolViolation, ShapeFold, type ShapeRow } from '../shapes/shape-fold.ts';
import type { ShapeMessage } from '../shapes/tag-folding-client.ts';

interface Entry {
  readonly offset: LogOffset;
  readonly text: string;
}

const decoder = new TextDecoder();

export class ShapeLedger {
  end = BEFORE_ALL;
  readonly mistakes: string[] = [];
  private readonly entries: Entry[] = [];
  private readonly fold: ShapeFold;

  constructor({ columns, primaryKey, replica, dependencies, moveOuts }: ShapeDefinition) {
    const isTagged = dependencies !== undefined && moveOuts !== 'deletes';
    this.fold = new ShapeFold({ columns, keys: primaryKey, booleans: [], replica, isTagged });
  }

  get rows(): ReadonlyMap<string, ShapeRow> {
    return this.fold.rows();
  }

  /** What was told, for people. */
  get story(): readonly string[] {
    return this.entries.map(({ offset, text }) => `${offset} ${text}`);
  }

  firstBehind(after: LogOffset): LogOffset | undefined {
    return this.entries.find(({ offset }) => compareOffsets(offset, after) > 0)?.offset;
  }

  /** Reads on, when there is more. A snapshot is read once all of it is there. */
  async readOn(log: ShapeLog): Promise<void> {
    if (log.snapshot.state !== 'complete' || log.end === this.end) return;
    const { end } = log;
    for (const entry of await entriesBehind(log, this.end)) this.take(entry);
    this.end = end;
    this.expect(() => this.fold.settle(), `at the end, ${end}`);
  }

  /** Reads all of it again. */
  async compare(log: ShapeLog): Promise<void> {
    const again = await entriesBehind(log, BEFORE_ALL);
    const changed = this.entries.find(({ offset, text }, index) => again[index]?.offset !== offset || again[index]?.text !== text);
    if (changed !== undefined) this.mistakes.push(`told otherwise than before: ${changed.offset} ${changed.text}`);
  }

  private take(entry: Entry): void {
    const { offset, text } = entry;
    const last = this.entries.at(-1)?.offset ?? BEFORE_ALL;
    if (!isInSnapshot(offset) && compareOffsets(offset, last) <= 0) this.mistakes.push(`${offset} behind ${last}`);
    this.entries.push(entry);
    this.expect(() => this.fold.take(JSON.parse(text) as ShapeMessage), `${offset} ${text}`);
  }

  private expect(follow: () => void, where: string): void {
    try {
      follow();
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.mistakes.push(`${error.message}: ${where}`);
    }
  }
}

async function entriesBehind(log: ShapeLog, after: LogOffset): Promise<readonly Entry[]> {
  const found: Entry[] = [];
  for (let at = after, isLast = false; !isLast; ) {
    const read = log.read(at);
    if (read.outcome !== 'entries') throw new Error(`nothing can be read behind ${at}: ${read.outcome}`);
    for await (const part of read.entries(0)) for (const { offset, bytes } of part) found.push({ offset, text: decoder.decode(bytes) });
    at = read.end;
    isLast = read.upToDate;
  }
  return found;
}
