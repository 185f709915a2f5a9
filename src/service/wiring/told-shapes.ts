/** ToldShapes: the shapes' logs, for who wonders about one of them. */
import type { ToldShape, ToldSnapshot } from '../../api/explain/told-shape.ts';
import type { LogEntry } from '../../model/log-entry.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import { ShapeGoneError } from '../../storage/errors.ts';
import type { ShapeLog, ShapeLogs, SnapshotState } from '../../storage/shapes/shape-logs.ts';

export function toldShapeOf(logs: Pick<ShapeLogs, 'get'>, handle: Handle): ToldShape | undefined {
  const log = logs.get(handle);
  if (log === undefined) return undefined;
  return {
    handle,
    definition: log.definition,
    get end() {
      return log.end;
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
    entries: (after) => entriesBehind(log, after),
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
