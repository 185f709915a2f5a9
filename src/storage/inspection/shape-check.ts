/**
 * ShapeCheck: every byte of one shape's files that a reader may be given, read and verified as for a reader, a piece at a time. Only the
 * first thing that does not hold is told of each file: the shape ends by it, whatever else there is.
 */
import { compareOffsets, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { Disk } from '../disk/disk.ts';
import { ShapeCorruptError } from '../errors.ts';
import { FileCache, type FilesMax } from '../shapes/file-cache.ts';
import { readAgain } from '../shapes/own-faults.ts';
import { PIECE_BYTES, pieceAt, verified, type ChunkSums } from '../shapes/piece.ts';
import type { ShapeGround } from '../shapes/shape-file-access.ts';
import { ShapeFiles } from '../shapes/shape-files.ts';
import type { ShapePaths } from '../shapes/shape-paths.ts';
import type { ShapeState } from '../shapes/stored-shape.ts';
import { claimOf, type Damage } from './damage.ts';

/** Files that stay open between two reads. */
const FILES_MAX: FilesMax = { idle: 4, uses: 4 };

export class ShapeCheck {
  private readonly ground: ShapeGround;

  constructor(
    disk: Disk,
    paths: ShapePaths,
    /** Told how many bytes were verified since the last call. */
    private readonly read: (bytes: number) => void,
  ) {
    this.ground = { disk, paths, files: new FileCache(disk, FILES_MAX), faults: { reading: readOwn } };
  }

  /** @returns what does not hold. @throws {DiskError} */
  async damagesOf(state: ShapeState): Promise<readonly Damage[]> {
    const { handle } = state;
    const store = new ShapeFiles(this.ground, state);
    try {
      const found = [
        await claim(() => this.checkSnapshot(store, state)),
        await claim(() => this.checkLines(store, state)),
        await claim(() => this.checkMoved(store, state)),
      ];
      return found.filter((each) => each !== undefined).map((text) => ({ handle, found: text, consequence: 'shapeCondemned' }));
    } finally {
      await store.remove(); // Closes what it alone has open.
    }
  }

  /** Closes what is open for all of them. */
  close(): Promise<void> {
    return this.ground.files.close();
  }

  private async checkSnapshot(store: ShapeFiles, { snapshot }: ShapeState): Promise<void> {
    if (snapshot.state !== 'complete') return;
    let start = 0;
    for (const chunk of snapshot.chunks) {
      for (const at of piecesIn(chunk)) {
        const { at: from, ...piece } = pieceAt(chunk, at);
        await store.readSnapshot({ ...piece, at: start + from }, 0);
        this.read(piece.bytes);
      }
      start += chunk.bytes;
    }
  }

  /** Each entry of the index is read with the piece that it belongs to, and must come behind the one before. */
  private async checkLines(store: ShapeFiles, { handle, lines }: ShapeState): Promise<void> {
    if (lines.count === 0) return;
    let last: LogOffset = SNAPSHOT_END;
    let bytes = 0;
    for await (const entries of store.lines.readEntries(SNAPSHOT_END, lines.bytes)) {
      for (const { offset, bytes: line } of entries) {
        if (compareOffsets(offset, last) <= 0) throw new ShapeCorruptError(handle, `entry ${offset} of its lines comes behind ${last}`);
        last = offset;
        bytes += line.length + 1;
        this.read(line.length + 1);
      }
    }
    const isWhole = last === lines.end && bytes === lines.bytes;
    if (isWhole) return;
    throw new ShapeCorruptError(handle, `its lines end at ${last} with ${bytes} bytes, not at ${lines.end} with ${lines.bytes}`);
  }

  /** The rows of splices whose lines are not made yet. */
  private async checkMoved(store: ShapeFiles, { handle, views }: ShapeState): Promise<void> {
    for (const { number, rows, fewRows } of views.pending) {
      if (rows === null) continue;
      for (const at of piecesIn(rows)) {
        const piece = pieceAt(rows, at);
        if (fewRows === undefined) await store.readMoved(number, piece);
        else verified(Buffer.from(fewRows, 'base64').subarray(at, at + piece.bytes), `the record of splice ${number}`, handle, piece, 0);
        this.read(piece.bytes);
      }
    }
  }
}

/** What the device fails of a shape's files is damage like any other: the next ones may be sound. */
function readOwn<Result>(handle: Handle, read: () => Promise<Result>): Promise<Result> {
  return readAgain(handle, read, () => Promise.resolve(true));
}

/** What verifying a shape reads. */
export function checkedBytes({ snapshot, lines, views }: ShapeState): number {
  const chunks = snapshot.state === 'complete' ? snapshot.chunks : [];
  const moved = views.pending.flatMap(({ rows }) => rows ?? []);
  return [...chunks, ...moved].reduce((sum, { bytes }) => sum + bytes, lines.bytes);
}

function* piecesIn({ bytes }: ChunkSums): Generator<number> {
  for (let at = 0; at < bytes; at += PIECE_BYTES) yield at;
}

async function claim(check: () => Promise<void>): Promise<string | undefined> {
  try {
    await check();
    return undefined;
  } catch (error) {
    if (error instanceof ShapeCorruptError) return claimOf(error);
    throw error;
  }
}
