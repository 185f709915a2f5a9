/**
 * SnapshotTarget of a shape: rows of a query become lines of its log. Here the rooms of Postgres, shapes and storage
 * meet, which do not know each other.
 */
import { changesIn } from '../../model/change.ts';
import type { PgSnapshot } from '../../model/pg-snapshot.ts';
import { invariant } from '../../base/invariant.ts';
import type { SnapshotTarget, TakenRows } from '../../postgres/snapshot/snapshot-port.ts';
import { isAltered } from '../../shapes/altered-table.ts';
import { snapshotColumns } from '../../shapes/row-plan.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import type { Membership, Where } from '../../sql/where.ts';
import type { ShapeViews } from './shape-views.ts';
import { storing } from './storing.ts';
import type { ShapeLog, SnapshotWriter } from '../../storage/shapes/shape-logs.ts';

/** @param views by which its rows are chosen: those that its Consumer has, so that each later move is one of what they hold. */
export function snapshotTarget(shapeLog: ShapeLog, lines: ChangeConverter, where: Where | undefined, views: ShapeViews): SnapshotTarget {
  const { definition } = shapeLog;
  let writer: SnapshotWriter | undefined;
  const begun = (): SnapshotWriter => {
    invariant(writer !== undefined, 'a snapshot is known before its rows come');
    return writer;
  };
  return {
    relation: definition.relation,
    accepts: (found) => !isAltered(found, definition),
    columns: snapshotColumns(definition).map(({ name }) => name),
    where: where?.subqueries?.queryWith(views.texts()) ?? where?.query,
    rows: definition.log === 'full' ? takenRows(lines, begun, views.isMember) : undefined,
    begin: (pgSnapshot: PgSnapshot) => {
      writer = shapeLog.beginSnapshot(pgSnapshot);
    },
    complete: () => storing(() => begun().complete()),
    abort: (error) => writer?.abort(error),
  };
}

/** A row that has tags must be looked at: of any other, what Postgres sends goes into the line as it comes. */
function takenRows(lines: ChangeConverter, begun: () => SnapshotWriter, isMember: Membership): TakenRows {
  const template = lines.snapshotTemplate;
  if (template !== undefined) return { as: 'lines', template, take: (fragment) => storing(() => begun().writeJoined(fragment)) };
  // What throws at one row must end this snapshot, and not whoever reads the socket.
  return { as: 'changes', take: (fragment) => storing(async () => await begun().write([...linesOf(fragment, lines, isMember)])) };
}

function* linesOf(fragment: Uint8Array, lines: ChangeConverter, isMember: Membership): Iterable<Uint8Array> {
  for (const { new: row } of changesIn(fragment)) {
    invariant(row !== undefined, 'a row of a snapshot is an insert');
    yield lines.snapshotLine(row, isMember);
  }
}
