/** The wiring of who wonders: the shapes' logs, the transaction log and Postgres, as the api asks them. */
import type { ExplainSource } from '../../api/explain/explain-source.ts';
import type { ServiceResources } from '../service-resources.ts';
import { toldShapeOf } from './told-shapes.ts';
import { ToldTransactions } from './told-transactions.ts';

export function explainSource(resources: ServiceResources): ExplainSource {
  return {
    transactions: new ToldTransactions(resources),
    shape: (handle) => toldShapeOf(resources.storage.shapes, handle),
  };
}
