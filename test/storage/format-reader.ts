/**
 * Reads a storage directory by docs/storage-format.md alone: nothing of src is used.
 * It has no mercy: what does not hold is an error.
 */
import { crc32 } from 'node:zlib';

/** A file's bytes by its path below the storage directory. */
export type Files = ReadonlyMap<string, Buffer>;

export interface StoredLine {
  readonly offset: string;
  readonly line: string;
}

export interface StoredShape {
  readonly handle: string;
  readonly definition: { readonly [name: string]: unknown };
  readonly end: string;
  readonly position: number;
  /** What each chunk of the snapshot gives a reader: rows joined by commas. */
  readonly chunks: readonly string[];
  readonly chunkEnds: readonly { readonly offset: string; readonly bytes: number }[];
  readonly lines: readonly StoredLine[];
}

export interface StoredDirectory {
  readonly transactions: readonly { readonly xid: number; readonly lsn: string; readonly changes: string }[];
  readonly shapes: readonly StoredShape[];
  /** What the witness says. */
  readonly durable: number;
}

interface Snapshot {
  state: string;
  chunks?: { bytes: number; sums: number[] }[];
  packed?: { pack: number; at: number; bytes: number };
  fewRows?: string;
}

interface State {
  handle: string;
  definition: Fields;
  end: string;
  bytes: number;
  count: number;
  openBytes: number;
  position: number;
  isLagging: boolean;
  snapshot: Snapshot;
  chunkEnds: { offset: string; bytes: number }[];
  compacted?: { generation: number; through: string; bytes: number };
  tail?: { pack: number; at: number; bytes: number; count: number; after: string }[];
}

interface LogFrame {
  readonly kind: number;
  readonly flags: number;
  readonly xid: number;
  readonly payload: Buffer;
  readonly end: number;
}

const PIECE = 262_144;

export function readDirectory(files: Files): StoredDirectory {
  claim(text(files, 'format') === '7\n', 'the format is 7');
  const frames = [...logFrames(files)];
  const checkpoint = newestCheckpoint(files);
  const states = checkpoint.states;
  for (const { kind, payload, end } of frames)
    if (kind === 5 && end > checkpoint.position) applyRecord(states, JSON.parse(payload.toString()));
  const shapes = [...states.values()].filter(({ snapshot }) => snapshot.state === 'complete');
  return {
    transactions: transactionsOf(frames),
    shapes: shapes.map((state) => shapeOf(files, state, checkpoint.position)),
    durable: witnessOf(files),
  };
}

function* logFrames(files: Files): Generator<LogFrame> {
  const names = [...files.keys()].filter((name) => /^log\/\d{16}\.log$/.test(name)).sort();
  let position = Number(names[0]?.slice(4, 20) ?? 0);
  for (const name of names) {
    const bytes = files.get(name) ?? Buffer.alloc(0);
    claim(position === Number(name.slice(4, 20)), 'the segments have no gap');
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readUInt32LE(at);
      const end = at + 16 + length;
      const place = Buffer.alloc(8);
      place.writeBigUInt64LE(BigInt(position));
      const sum = crc32(Buffer.concat([place, bytes.subarray(at, at + 4), bytes.subarray(at + 8, end)]));
      claim(bytes.readUInt16LE(at + 10) === 0xa7e1 && sum === bytes.readUInt32LE(at + 4), `the frame at ${position} holds`);
      claim((bytes[at + 8] === 1) === (at === 0), 'a segment frame begins each segment, and nothing else');
      position += end - at;
      const [kind = 0, flags = 0] = bytes.subarray(at + 8, at + 10);
      yield { kind, flags, xid: bytes.readUInt32LE(at + 12), payload: bytes.subarray(at + 16, end), end: position };
      at = end;
    }
  }
}

function transactionsOf(frames: readonly LogFrame[]): StoredDirectory['transactions'] {
  const found: { xid: number; lsn: string; changes: string }[] = [];
  let open: Buffer[] = [];
  for (const { kind, flags, xid, payload } of frames) {
    if (kind === 3) open = (flags & 1) === 1 ? [payload] : [...open, payload];
    if (kind !== 4) continue;
    claim(payload.readUInt32LE(8) === open.length, 'a commit counts the frames of its transaction');
    found.push({ xid, lsn: String(payload.readBigUInt64LE(0)), changes: Buffer.concat(open).toString() });
    open = [];
  }
  return found;
}

function newestCheckpoint(files: Files): { position: number; states: Map<string, State> } {
  const name = [...files.keys()].filter((path) => /^checkpoint\/\d{16}\.checkpoint$/.test(path)).sort().at(-1);
  const states = new Map<string, State>();
  if (name === undefined) return { position: 0, states };
  let position = 0;
  let open: { kind: number; payload: unknown }[] = [];
  for (const frame of checkpointFrames(files.get(name) ?? Buffer.alloc(0), Number(name.slice(11, 27)))) {
    open.push(frame);
    if (frame.kind !== 4) continue;
    for (const part of open) learn(states, part);
    position = (frame.payload as { position: number }).position;
    open = [];
  }
  return { position, states };
}

function* checkpointFrames(bytes: Buffer, generation: number): Generator<{ kind: number; payload: unknown }> {
  for (let at = 0; at < bytes.length; ) {
    const end = at + 16 + bytes.readUInt32LE(at);
    const place = Buffer.alloc(16);
    place.writeBigUInt64LE(BigInt(generation), 0);
    place.writeBigUInt64LE(BigInt(at), 8);
    const sum = crc32(Buffer.concat([place, bytes.subarray(at, at + 4), bytes.subarray(at + 8, end)]));
    claim(sum === bytes.readUInt32LE(at + 4) && bytes.readUInt32LE(at + 12) === 0x54504b43, `the checkpoint's frame at ${at} holds`);
    yield { kind: bytes.readUInt32LE(at + 8), payload: JSON.parse(bytes.subarray(at + 16, end).toString()) };
    at = end;
  }
}

function learn(states: Map<string, State>, { kind, payload }: { kind: number; payload: unknown }): void {
  if (kind === 3) for (const handle of payload as string[]) states.delete(handle);
  if (kind !== 5) return;
  for (const change of inFull(payload as Brief[])) {
    const last = states.get(change.handle);
    const ends = change.compacted === undefined ? (last?.chunkEnds ?? []) : [];
    states.set(change.handle, { ...last, ...change, chunkEnds: [...ends, ...(change.chunkEnds ?? [])] });
  }
}

type Fields = { readonly [name: string]: unknown };
type Brief = Partial<State> & { handle: string };

/** What a shape has in common with those before it is left out. Of what this reader does not ask for, it stays so. */
function* inFull(changes: readonly Brief[]): Generator<State> {
  let [standing, definition]: [object, Fields] = [{}, {}];
  for (const brief of changes) {
    const { end, bytes, count, openBytes, position, isLagging } = { ...standing, ...brief } as State;
    standing = { end, bytes, count, openBytes, position, isLagging };
    if (brief.definition !== undefined) definition = merged(definition, brief.definition, ['where']);
    yield { ...brief, ...standing, ...(brief.definition === undefined ? {} : { definition }) } as State;
  }
}

/** @param within the fields that are merged themselves. */
function merged(last: Fields, told: Fields, within: readonly string[] = []): Fields {
  const fields = Object.entries({ ...last, ...told }).filter(([, value]) => value !== null);
  const inner = (name: string, value: unknown): unknown => merged((last[name] ?? {}) as Fields, value as Fields);
  return Object.fromEntries(fields.map(([name, value]) => [name, within.includes(name) && name in told ? inner(name, value) : value]));
}

interface Record {
  type: string;
  handle: string;
  definition: Fields;
  position: number;
  chunks: { bytes: number; sums: number[] }[];
  fewRows?: string;
}

function applyRecord(states: Map<string, State>, { type, handle, definition, position, chunks, fewRows }: Record): void {
  const known = states.get(handle);
  const snapshot = { state: 'complete', chunks, ...(fewRows === undefined ? {} : { fewRows }) };
  if (type === 'shape.deleted') states.delete(handle);
  else if (type === 'shape.created') {
    const nothing = { end: '0_inf', bytes: 0, count: 0, openBytes: 0, snapshot: { state: 'awaited' }, chunkEnds: [] };
    const fresh = { handle, definition, ...nothing, position, isLagging: true };
    if (known === undefined) states.set(handle, fresh);
  } else if (known?.snapshot.state === 'awaited') states.set(handle, { ...known, snapshot, position });
  else if (known?.snapshot.state === 'writing') states.set(handle, { ...known, snapshot });
}

function shapeOf(files: Files, state: State, taken: number): StoredShape {
  const { handle, definition, end, isLagging, chunkEnds } = state;
  const position = isLagging ? state.position : Math.max(state.position, taken);
  return { handle, definition, end, position, chunks: chunksOf(files, state), chunkEnds, lines: linesOf(files, state) };
}

function chunksOf(files: Files, { handle, snapshot }: State): string[] {
  const bytes = snapshotOf(files, handle, snapshot);
  let start = 0;
  return (snapshot.chunks ?? []).map((chunk) => {
    const content = bytes.subarray(start, start + chunk.bytes);
    start += chunk.bytes;
    chunk.sums.forEach((sum, piece) =>
      claim(crc32(content.subarray(piece * PIECE, (piece + 1) * PIECE)) === sum, `piece ${piece} of ${handle} holds`),
    );
    claim(chunk.sums.length === Math.ceil(chunk.bytes / PIECE), 'every piece has its sum');
    return content.subarray(0, -1).toString();
  });
}

function snapshotOf(files: Files, handle: string, { packed, fewRows }: Snapshot): Buffer {
  if (fewRows !== undefined) return Buffer.from(fewRows, 'base64');
  if (packed === undefined) return files.get(pathOf(handle, 'snapshot')) ?? Buffer.alloc(0);
  return packOf(files, packed.pack).subarray(packed.at, packed.at + packed.bytes);
}

function linesOf(files: Files, state: State): StoredLine[] {
  const { handle, count, bytes, compacted } = state;
  const name = compacted === undefined ? handle : `${handle}.${compacted.generation}`;
  const { index, content } = storedLines(files, state, name.slice(handle.length + 1));
  const ends = new Map<string, number>();
  for (let number = 0; number < count; number += 1) {
    const entry = index.subarray(number * 36, number * 36 + 36);
    claim(
      crc32(entry.subarray(0, 32), (crc32(name) + number) % 2 ** 32) === entry.readUInt32LE(32),
      `entry ${number} of ${handle} holds`,
    );
    const end = entry.readUIntLE(13, 6);
    const piece = content.subarray(end - entry.readUIntLE(19, 3), end + entry.readUIntLE(22, 3));
    claim(piece.length <= PIECE && crc32(piece) === entry.readUInt32LE(28), `the piece of entry ${number} holds`);
    ends.set(`${entry.readBigUInt64LE(0)}_${entry.readUIntLE(8, 5)}`, end);
  }
  claim([...ends.values()].at(-1) === (count === 0 ? undefined : bytes), 'the last entry ends where the lines do');
  let start = 0;
  return [...ends].map(([offset, end]) => {
    const line = content.subarray(start, end - 1).toString();
    start = end;
    return { offset, line };
  });
}

/** As if all of them were in the files. */
function storedLines(files: Files, { handle, count, bytes, tail = [] }: State, generation: string): { index: Buffer; content: Buffer } {
  const file = (kind: string): Buffer => files.get(pathOf(handle, generation === '' ? kind : `${generation}.${kind}`)) ?? Buffer.alloc(0);
  const filedCount = tail.reduce((left, block) => left - block.count, count);
  const filedBytes = tail.reduce((left, block) => left - block.bytes, bytes);
  const index = [file('index').subarray(0, filedCount * 36)];
  const content = [file('lines').subarray(0, filedBytes)];
  for (const block of tail) {
    const from = packOf(files, block.pack).subarray(block.at);
    index.push(from.subarray(0, block.count * 36));
    content.push(from.subarray(block.count * 36, block.count * 36 + block.bytes));
  }
  return { index: Buffer.concat(index), content: Buffer.concat(content) };
}

function packOf(files: Files, number: number): Buffer {
  return files.get(`packs/${String(number).padStart(16, '0')}.pack`) ?? Buffer.alloc(0);
}

function witnessOf(files: Files): number {
  const bytes = files.get('log/durable') ?? Buffer.alloc(0);
  const slots = [bytes.subarray(0, 16), bytes.subarray(16, 32)].filter((slot) => crc32(slot.subarray(0, 12)) === slot.readUInt32LE(12));
  return Math.max(0, ...slots.map((slot) => Number(slot.readBigUInt64LE(0))));
}

function pathOf(handle: string, kind: string): string {
  let hash = 0x811c9dc5;
  for (const letter of handle) hash = Math.imul(hash ^ (letter.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  const half = hash ^ (hash >>> 16);
  const folded = (half ^ (half >>> 8)) & 0xff;
  return `shapes/${folded.toString(16).padStart(2, '0')}/${handle}.${kind}`;
}

function text(files: Files, path: string): string {
  return (files.get(path) ?? Buffer.alloc(0)).toString();
}

function claim(condition: boolean, what: string): void {
  if (!condition) throw new Error(`not so: ${what}`);
}
