/** ToldShapes: the shapes' logs, for who wonders about one of them. */
import type { ToldShape, ToldSnapshot } from '../../../api/explain/told-shape.ts';
import type { Clock } from '../../../base/clock.ts';
import type { LogEntry } from '../../../model/log-entry.ts';
import type { LogOffset } from '../../../model/log-offset.ts';
import type { Handle } from '../../../model/shape.ts';
import { ShapeGoneError } from '../../../storage/errors.ts';
import type { ShapeLog, ShapeLogs, SnapshotState } from '../../../storage/shapes/shape-logs.ts';

/** So much of a log is looked through in one go: others have their turn behind it, also where all of it lies in memory. */
const BYTES_AT_ONCE = 1024 * 1024;

export function toldShapeOf(logs: Pick<ShapeLogs, 'get'>, handle: Handle, clock: Clock): ToldShape | undefined {
  const log = logs.get(handle);
  if (log === undefined) return undefined;
  return {
    handle,
    definition: log.definition,
    get end() {
      return log.end;
    },
    get compactedThrough() {
      return log.compactedThrough;
    },
    get position() {
      return log.position;
    },
    get waitsAt() {
      return log.waitsAt;
    },
    get snapshot() {
      return toldSnapshot(log.snapshot);
    },
    tailFrom: (bytesMax) => log.tailFrom(bytesMax),
    entries: (after) => inTurns(entriesBehind(log, after), clock),
  };
}

function toldSnapshot(snapshot: SnapshotState): ToldSnapshot {
  if (snapshot.state !== 'complete') return snapshot;
  const { state, pgSnapshot, chunks } = snapshot;
  return { state, pgSnapshot, bytes: chunks.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A read ends with its chunk; the end is that of now, so that a log which grows is not followed for ever. */
async function* entriesBehind(log: ShapeLog, after: LogOffset): AsyncGenerator<Iterable<LogEntry>> {
  const { end } = log;
  for (let place = after; place !== end; ) {
    const read = log.read(place);
    if (read.outcome === 'notStarted') throw new ShapeGoneError(log.handle); // It has been: it is another shape's log by now.
    if (read.outcome === 'beyond') return;
    yield* read.entries(0);
    if (read.upToDate || read.end === place) return;
    place = read.end;
  }
}

async function* inTurns(groups: AsyncIterable<Iterable<LogEntry>>, clock: Clock): AsyncGenerator<Iterable<LogEntry>> {
  let bytes = 0;
  for await (const group of groups) {
    const entries = [...group];
    yield entries;
    bytes += entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    if (bytes < BYTES_AT_ONCE) continue;
    bytes = 0;
    await new Promise<void>((turn) => void clock.setTimer(turn, 0));
  }
}
