/** ExplainSearches: those through the shapes' logs, for who wonders about a transaction or about a row. */
import type { Found } from './log-search.ts';
import { LogSearches, SearchTurns } from './log-searches.ts';
import type { RowHistory } from './row-history.ts';

export interface ExplainSearches {
  readonly transactions: LogSearches<Found>;
  readonly rows: LogSearches<RowHistory>;
}

/** Where a transaction was found it stays. */
export function explainSearches(): ExplainSearches {
  const turns = new SearchTurns();
  return { transactions: new LogSearches<Found>(turns, ({ offset }) => offset !== undefined), rows: new LogSearches(turns) };
}
