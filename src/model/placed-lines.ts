/**
 * PlacedLines: lines of one transaction as they lie in a shape's log, one behind the other, each with a comma behind it; and where each
 * stands in its transaction. A transaction of ten thousand rows is three objects, and goes into the log in one copy.
 */

/** One line of a shape's log: `position` is the second half of its offset. */
export interface PlacedLine {
  readonly position: number;
  /** Without its comma. */
  readonly bytes: Uint8Array;
}

const COMMA = 0x2c;

export class PlacedLines {
  constructor(
    readonly bytes: Uint8Array,
    /** Where each line ends in `bytes`, its comma included; it begins where the one before it ends. */
    readonly ends: readonly number[],
    /** Ascending. */
    readonly positions: readonly number[],
  ) {}

  static of(lines: readonly PlacedLine[]): PlacedLines {
    let size = 0;
    const ends = lines.map(({ bytes }) => (size += bytes.length + 1));
    const joined = new Uint8Array(size).fill(COMMA);
    for (const [index, { bytes }] of lines.entries()) joined.set(bytes, (ends[index] ?? 0) - bytes.length - 1);
    return new PlacedLines(joined, ends, lines.map(({ position }) => position));
  }

  get length(): number {
    return this.positions.length;
  }

  /** A view of line `index`; undefined where there is none. */
  at(index: number): PlacedLine | undefined {
    const [position, end] = [this.positions[index], this.ends[index]];
    if (position === undefined || end === undefined) return undefined;
    return { position, bytes: this.bytes.subarray(this.startOf(index), end - 1) };
  }

  /** Where line `index` begins in `bytes`. */
  startOf(index: number): number {
    return this.ends[index - 1] ?? 0;
  }

  get last(): PlacedLine | undefined {
    return this.at(this.length - 1);
  }

  withoutLast(): PlacedLines {
    const end = this.startOf(this.length - 1);
    return new PlacedLines(this.bytes.subarray(0, end), this.ends.slice(0, -1), this.positions.slice(0, -1));
  }

  /** Those behind `position`. */
  behind(position: number): PlacedLines {
    const from = this.positions.findIndex((candidate) => candidate > position);
    if (from === 0) return this;
    const index = from < 0 ? this.length : from;
    const start = this.startOf(index);
    return new PlacedLines(this.bytes.subarray(start), this.ends.slice(index).map((end) => end - start), this.positions.slice(index));
  }

  *[Symbol.iterator](): Generator<PlacedLine> {
    for (let index = 0; index < this.length; index += 1) {
      const line = this.at(index);
      if (line !== undefined) yield line;
    }
  }
}
