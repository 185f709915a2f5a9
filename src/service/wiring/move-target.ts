/**
 * MoveTarget: the rows of a query about moved values become the lines of a splice. The query brings more than moved; which rows
 * the view before did not have, and which the view after does not, is decided by the evaluator that also decides about the stream.
 */
import { Change } from '../../model/change.ts';
import { invariant } from '../../base/invariant.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import { seesAllOf, type PgSnapshot } from '../../model/pg-snapshot.ts';
import type { Runtime } from '../../otp/runtime.ts';
import type { MoveQueryTarget } from '../../postgres/snapshot/move-queries.ts';
import { alteringOf } from '../../shapes/altered-table.ts';
import type { ChangeConverter } from '../../shapes/change-converter.ts';
import { ROW_END } from '../../shapes/line-format.ts';
import { moveBetween, type MoveTeller } from '../../shapes/member-moves.ts';
import { spliceColumns } from '../../shapes/row-plan.ts';
import type { Membership, Where } from '../../sql/where.ts';
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
  const movement = { lines, before: before.isMember, after: after.isMember, teller: lines.tellerOf(moves) };
  const writer = shapeLog.beginMoved();
  return {
    relation: definition.relation,
    accepts: (found) => !alteringOf(found)(definition),
    columns: spliceColumns(definition).map(({ name }) => name),
    where: asked === 'any' ? where?.subqueries?.queryAll() : where?.subqueries?.queryMoved(asked),
    isNewEnough: (pgSnapshot) => splicing.seesShown(pgSnapshot) && seesAllTakenBy(splicing, pgSnapshot),
    async rows(fragment) {
      const moved = movedLines(fragment, movement);
      const written = Buffer.concat([...moved].flatMap((line) => [line, END]));
      if (written.length > 0) await storing(() => writer.write(written));
    },
    complete: () => storing(() => writer.complete()),
  };
}

/** The rows of the shape are as of `filterBy` already, which a query that shares an older snapshot may lack a part of. */
function seesAllTakenBy({ log, shapeLog: { position, filterBy } }: Splicing, pgSnapshot: PgSnapshot): boolean {
  return (filterBy === undefined || seesAllOf(filterBy, pgSnapshot)) && (log.firstUnseen(pgSnapshot) ?? position) >= position;
}

interface Movement {
  readonly lines: ChangeConverter;
  readonly before: Membership;
  readonly after: Membership;
  readonly teller: MoveTeller;
}

const END = Buffer.from([ROW_END]);

function* movedLines(fragment: Uint8Array, { lines, before, after, teller }: Movement): Iterable<Uint8Array> {
  for (let at = 0; at < fragment.length; ) {
    const change = new Change(fragment, at);
    const row = change.new;
    invariant(row !== undefined, 'a row of a query is an insert');
    const line = lines.movedLine(row, before, after, teller);
    if (line !== undefined) yield line;
    at = change.end;
  }
}
