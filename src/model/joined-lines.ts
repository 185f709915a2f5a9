/** JoinedLines: lines of a shape's log as they lie in its file, one behind the other, each with a comma behind it. */
export interface JoinedLines {
  readonly bytes: Uint8Array;
  /** For each line, where the next one begins. */
  readonly ends: Uint32Array;
}

const COMMA = 0x2c;

export function joinedLines(lines: readonly Uint8Array[]): JoinedLines {
  const bytes = new Uint8Array(lines.reduce((sum, line) => sum + line.length + 1, 0));
  const ends = new Uint32Array(lines.length);
  let end = 0;
  for (const [index, line] of lines.entries()) {
    bytes.set(line, end);
    end += line.length;
    bytes[end] = COMMA;
    end += 1;
    ends[index] = end;
  }
  return { bytes, ends };
}
