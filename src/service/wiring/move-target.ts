/**
 * MoveTarget: the rows of a query about moved values become the lines of a splice. The query brings more than moved; which rows
 * the view before did not have, and which the view after does not, is decided by the evaluator that also decides about the stream.
 */
import { changesIn, type Tuple } from '../../model/change.ts';
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import { seesAllOf, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Runtime } from '../../otp/runtime.ts';
import type { MoveQueryTarget } from '../../postgres/snapshot/move-queries.ts';
import { isAltered } from '../../shapes/altered-table.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import { moveBetween } from '../../shapes/member-moves.ts';
import { spliceColumns } from '../../shapes/row-plan.ts';
import type { Where } from '../../sql/where.ts';
import type { ChunkSums } from '../../storage/shapes/piece.ts';
import type { ShapeLog } from '../../storage/shapes/shape-logs.ts';
import type { TransactionLog } from '../../storage/log/transaction-log.ts';
import { viewsAt } from './shape-views.ts';
import { storing } from './storing.ts';

interface Splicing {
  readonly runtime: Pick<Runtime, 'tableOf'>;
  readonly log: Pick<TransactionLog, 'firstUnseen'>;
  readonly shapeLog: Pick<ShapeLog, 'definition' | 'dependsOn' | 'views' | 'position' | 'filterBy' | 'beginMoved'>;
  /** Whether a snapshot sees what clients of the shape were shown besides. */
  readonly seesShown: (pgSnapshot: PgSnapshot) => boolean;
  readonly lines: ChangeConverter;
  readonly where: Where | undefined;
}

/** @param views those after the moves. @returns undefined when the values cannot be asked now. */
export function moveTarget(splicing: Splicing, views: readonly LogOffset[]): MoveQueryTarget<ChunkSums | null> | undefined {
  const { runtime, shapeLog, lines, where } = splicing;
  const before = viewsAt(runtime, shapeLog, shapeLog.views);
  const after = viewsAt(runtime, shapeLog, views);
  if (before === undefined || after === undefined) return undefined;
  const { definition } = shapeLog;
  const moves = after.kept.map((values, number) => {
    return moveBetween(values, before.views[number] ?? values.offset, views[number] ?? values.offset);
  });
  const asked = lines.askedRows(moves);
  const judge = lines.moveJudge({ before: before.isMember, after: after.isMember });
  const teller = lines.tellerOf(moves);
  const writer = shapeLog.beginMoved();
  return {
    relation: definition.relation,
    accepts: (found) => !isAltered(found, definition),
    columns: spliceColumns(definition).map(({ name }) => name),
    where: asked === 'any' ? where?.subqueries?.queryAll() : where?.subqueries?.queryMoved(asked),
    isNewEnough: (pgSnapshot) => splicing.seesShown(pgSnapshot) && seesAllTakenBy(splicing, pgSnapshot),
    async rows(fragment) {
      const written = lines.movedLines(rowsOf(fragment), judge, teller);
      if (written.length > 0) await storing(() => writer.write(written));
    },
    complete: () => storing(() => writer.complete()),
  };
}

/** The rows of the shape are as of `filterBy` already, which a query that shares an older snapshot may lack a part of. */
function seesAllTakenBy({ log, shapeLog: { position, filterBy } }: Splicing, pgSnapshot: PgSnapshot): boolean {
  return (filterBy === undefined || seesAllOf(filterBy, pgSnapshot)) && (log.firstUnseen(pgSnapshot) ?? position) >= position;
}

function* rowsOf(fragment: Uint8Array): Iterable<Tuple> {
  for (const { new: row } of changesIn(fragment)) {
    invariant(row !== undefined, 'a row of a query is an insert');
    yield row;
  }
}
