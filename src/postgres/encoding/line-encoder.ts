/**
 * LineEncoder: the rows of a query as lines of a shape's log, put together at once from what came over the wire. Nothing is made for a row
 * but its bytes: a shape of millions of rows costs their copy, and a look at each byte.
 *
 * Two buffers take turns: one is written out by whoever has taken it while the other fills.
 */
import { invariant } from '../../base/invariant.ts';
import type { JoinedLines } from '../../model/joined-lines.ts';
import { KEY_TEXT, type LineTemplate } from '../../model/line-template.ts';
import { DataRowFields } from './data-row-fields.ts';
import { FixedText, GrowableBytes, ownMemory, textOf, type Memory } from '../../base/growable-bytes.ts';
import { type RowEncoder, RowFormatError } from './row-encoder.ts';
import {
  encodeBoolean, encodeContent, encodeCopyContent, encodeCopyField, encodeNull, encodeText, endOfPlainField, isCopyNull,
} from './value-encoder.ts';

const NEWLINE = 0x0a;
const COMMA = Uint8Array.of(0x2c);
const SLASH = 0x2f;
/** Most shapes have a few rows. */
const FIRST_BYTES = 2 * 1024;
const FIRST_LINES = 16;
/** A buffer that a larger row has been in is given back: a fragment is hardly ever half of that. */
const KEPT_BYTES_MAX = 4 * 1024 * 1024;

const KEY_START = textOf(KEY_TEXT.start);
const KEY_END = textOf(KEY_TEXT.end);
const KEY_NULL = textOf(KEY_TEXT.null);

export class LineEncoder implements RowEncoder<JoinedLines> {
  /** Each undefined until there is something for it: an answer of few rows needs one, an empty one none. */
  private filled: LineBuffer | undefined;
  private taken: LineBuffer | undefined;
  private readonly fields: DataRowFields;
  private readonly texts: LineTexts;

  /** @param isBoolean for each column of the row, whether a snapshot spells it out as `true` or `false`. */
  constructor(
    private readonly template: LineTemplate,
    private readonly isBoolean: readonly boolean[],
    private readonly memory: Memory = ownMemory,
  ) {
    invariant(template.labels.length === isBoolean.length, 'a template is that of the columns that are asked for');
    this.fields = new DataRowFields(isBoolean.length);
    this.texts = textsOf(template);
  }

  get size(): number {
    return this.filled?.out.length ?? 0;
  }

  copyLine(bytes: Uint8Array, start: number, lineEnd: number): void {
    const end = lineEnd - 1;
    if (bytes[end] !== NEWLINE) throw new RowFormatError('a COPY line without its end');
    const { out } = this.filling;
    out.append(this.texts.start);
    this.copyKey(out, bytes, start, end);
    out.append(this.texts.keyEnd);
    this.copyValues(out, bytes, start, end);
    this.endLine();
  }

  dataRow(bytes: Uint8Array, start: number, end: number): void {
    this.fields.read(bytes, start, end);
    const { out } = this.filling;
    out.append(this.texts.start);
    this.dataKey(out, bytes);
    out.append(this.texts.keyEnd);
    this.dataValues(out, bytes);
    this.endLine();
  }

  take(): JoinedLines {
    const { filling, taken } = this;
    taken?.clear();
    this.filled = taken;
    this.taken = filling;
    return filling.lines();
  }

  private get filling(): LineBuffer {
    return (this.filled ??= new LineBuffer(this.memory));
  }

  /** Columns lie one behind the other, so one that lies before the last part of the key is looked for from the begin. */
  private copyKey(out: GrowableBytes, bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    let column = 0;
    for (const { index, isBoolean } of this.template.key) {
      if (index < column) [at, column] = [start, 0];
      for (; column < index; column += 1) at = endOfPlainField(bytes, at, end) + 1;
      if (isCopyNull(bytes, at, end)) {
        out.append(KEY_NULL);
        continue;
      }
      const keyStart = beginKeyPart(out);
      if (isBoolean) encodeContent(out, bytes, at, Math.min(at + 1, end));
      else encodeCopyContent(out, bytes, at, end);
      endKeyPart(out, keyStart);
    }
  }

  private copyValues(out: GrowableBytes, bytes: Uint8Array, start: number, end: number): void {
    const { labels } = this.texts;
    let at = start;
    for (let index = 0; index < labels.length; index += 1) {
      if (index > 0) at += 1; // The tab, or, where columns are missing, past the end.
      const label = labels[index];
      if (label !== undefined) out.append(label);
      at = label === undefined ? endOfPlainField(bytes, at, end) : this.copyValue(index, bytes, at, end);
    }
    if (at !== end) throw new RowFormatError(`a COPY line has not ${labels.length} columns`);
  }

  private copyValue(index: number, bytes: Uint8Array, at: number, end: number): number {
    const { out } = this.filling;
    if (this.isBoolean[index] !== true || isCopyNull(bytes, at, end)) return encodeCopyField(out, bytes, at, end);
    encodeBoolean(out, bytes, at);
    return endOfPlainField(bytes, at, end);
  }

  private dataKey(out: GrowableBytes, bytes: Uint8Array): void {
    const { fields } = this;
    for (const { index, isBoolean } of this.template.key) {
      if (fields.isNull(index)) {
        out.append(KEY_NULL);
        continue;
      }
      const [start, end] = [fields.startOf(index), fields.endOf(index)];
      const keyStart = beginKeyPart(out);
      encodeContent(out, bytes, start, isBoolean ? Math.min(start + 1, end) : end);
      endKeyPart(out, keyStart);
    }
  }

  private dataValues(out: GrowableBytes, bytes: Uint8Array): void {
    const { fields, isBoolean, texts: { labels } } = this;
    for (let index = 0; index < labels.length; index += 1) {
      const label = labels[index];
      if (label === undefined) continue;
      out.append(label);
      if (fields.isNull(index)) encodeNull(out);
      else if (isBoolean[index] === true) encodeBoolean(out, bytes, fields.startOf(index));
      else encodeText(out, bytes, fields.startOf(index), fields.endOf(index));
    }
  }

  private endLine(): void {
    const { filling } = this;
    filling.out.append(this.texts.end);
    filling.endLine();
  }
}

/** What each line has, as of the template. */
interface LineTexts {
  readonly start: FixedText;
  readonly keyEnd: FixedText;
  readonly labels: readonly (FixedText | undefined)[];
  /** With the comma. */
  readonly end: FixedText;
}

/** All shapes of a table that show the same columns have one template. */
const known = new WeakMap<LineTemplate, LineTexts>();

function textsOf(template: LineTemplate): LineTexts {
  const texts = known.get(template) ?? newTexts(template);
  known.set(template, texts);
  return texts;
}

function newTexts({ start, keyEnd, labels, end }: LineTemplate): LineTexts {
  return {
    start: new FixedText(start),
    keyEnd: new FixedText(keyEnd),
    labels: labels.map((label) => label && new FixedText(label)),
    end: new FixedText(end, COMMA),
  };
}

/** @returns where its text begins. */
function beginKeyPart(out: GrowableBytes): number {
  out.append(KEY_START);
  return out.length;
}

/** A slash inside of a value stands twice, so that it is none between two of them. */
function endKeyPart(out: GrowableBytes, start: number): void {
  let slashes = 0;
  for (let at = start; at < out.length; at += 1) if (out.bytes[at] === SLASH) slashes += 1;
  if (slashes > 0) doubleSlashes(out, start, slashes);
  out.append(KEY_END);
}

/** From the end on, so that nothing is written over that is yet to be moved. */
function doubleSlashes(out: GrowableBytes, start: number, slashes: number): void {
  let from = out.length - 1;
  out.skip(slashes);
  const { bytes } = out;
  let to = out.length - 1;
  for (; from >= start; from -= 1) {
    const byte = bytes[from] as number;
    bytes[to--] = byte;
    if (byte === SLASH) bytes[to--] = byte;
  }
}

/** Lines one behind the other, and where each ends. */
class LineBuffer {
  out: GrowableBytes;
  private ends: Uint32Array;
  private count = 0;

  constructor(private readonly memory: Memory) {
    this.out = new GrowableBytes(FIRST_BYTES, memory);
    this.ends = new Uint32Array(memory(4 * FIRST_LINES));
  }

  endLine(): void {
    if (this.count === this.ends.length) this.grow();
    this.ends[this.count] = this.out.length;
    this.count += 1;
  }

  lines(): JoinedLines {
    const { out, ends, count } = this;
    return { bytes: out.bytes.subarray(0, out.length), ends: ends.subarray(0, count) };
  }

  clear(): void {
    this.count = 0;
    if (this.out.bytes.length > KEPT_BYTES_MAX) this.out = new GrowableBytes(FIRST_BYTES, this.memory);
    this.out.length = 0;
  }

  private grow(): void {
    const grown = new Uint32Array(this.memory(8 * this.ends.length));
    grown.set(this.ends);
    this.ends = grown;
  }
}
