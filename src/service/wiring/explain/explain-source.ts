/** The wiring of who wonders: the shapes' logs, what their subqueries select, the transaction log and Postgres, as the api asks them. */
import type { AskedDatabaseRow, ExplainSource, RowRead, ToldMember, ToldSelection } from '../../../api/explain/explain-source.ts';
import { invariant } from '../../../base/invariant.ts';
import type { Handle } from '../../../model/shape.ts';
import { isMark } from '../../../sql/subqueries/membership.ts';
import type { ServiceResources } from '../../service-resources.ts';
import { RowTarget } from './row-target.ts';
import { viewsAt } from '../shape-views.ts';
import { failureOf, outcomeOf } from '../subsets/subset-failures.ts';
import type { SubsetQueries } from '../subsets/subset-queries.ts';
import { toldShapeOf } from './told-shapes.ts';
import { ToldTransactions } from './told-transactions.ts';

export function explainSource(resources: ServiceResources, queries: Pick<SubsetQueries, 'ask'>): ExplainSource {
  return {
    language: resources.language,
    transactions: new ToldTransactions(resources),
    shape: (handle) => toldShapeOf(resources.storage.shapes, handle, resources.world.clock),
    selected: (handle) => selectedBy(resources, handle),
    readRow: (row) => readRow(resources, queries, row),
  };
}

/** By the views that the shape's readers see: of one that splices, before the splice. */
function selectedBy({ storage, runtime }: Pick<ServiceResources, 'storage' | 'runtime'>, handle: Handle): ToldSelection | undefined {
  const shapeLog = storage.shapes.get(handle);
  const views = shapeLog && viewsAt(runtime, shapeLog, shapeLog.publishedViews);
  if (shapeLog === undefined || views === undefined) return undefined;
  const { dependsOn } = shapeLog;
  return {
    isMember: views.isMember,
    member(subquery, value): ToldMember {
      const [values, inner] = [views.kept[subquery], dependsOn[subquery]];
      invariant(values !== undefined && inner !== undefined, 'each subquery has a shape that it selects from');
      const turned = isMark(value) ? undefined : values.lastTurn(value);
      return {
        handle: inner,
        isSelectedNow: values.has(value, values.offset),
        turned: turned && { offset: turned.offset, txids: turned.xids },
        rememberedFrom: values.keptFrom,
      };
    },
  };
}

async function readRow(
  { storage }: Pick<ServiceResources, 'storage'>,
  queries: Pick<SubsetQueries, 'ask'>,
  asked: AskedDatabaseRow,
): Promise<RowRead> {
  const shapeLog = asked.handle === undefined ? undefined : storage.shapes.get(asked.handle);
  if (asked.handle !== undefined && shapeLog === undefined) return { outcome: 'over' };
  const target = new RowTarget(asked, storage.log, shapeLog?.position);
  const reply = await queries.ask(target);
  try {
    if (reply?.type !== 'subset.queried') throw failureOf(reply);
    return (await target.found()) ?? { outcome: 'over' };
  } catch (error) {
    const outcome = outcomeOf(error);
    invariant(outcome.outcome === 'over' || outcome.outcome === 'refused', 'an error is an outcome without rows');
    return outcome;
  }
}
