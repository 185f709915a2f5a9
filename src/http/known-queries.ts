/**
 * KnownQueries: what the queries say that came lately. A client asks the same again, and many ask the same at a time: so each is taken
 * apart once, and whoever looks at its parameters knows them again.
 */
import type { Clock } from '../base/clock.ts';
import { RecentMap } from '../base/recent-map.ts';
import { isRefusal, type Refusal } from '../api/refusal.ts';
import type { Exchange } from './exchange.ts';
import { queryParameters, type TakenQuery } from './query-parameters.ts';

/** A longer one is taken apart each time. */
const CHARACTERS_MAX = 4_096;
/** Of all together. */
const WEIGHT_MAX = 8_000_000;
/** What is kept of a query besides its characters, by and large; and what each parameter takes, with the records that it nests in. */
const ENTRY_WEIGHT = 1_000;
const PARAMETER_WEIGHT = 300;
/** Many ask for the same when they come at the same time. */
const IDLE_MS_MAX = 60_000;

export class KnownQueries {
  private readonly known: RecentMap<TakenQuery>;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.known = new RecentMap(clock, { weightMax: WEIGHT_MAX, idleMsMax: IDLE_MS_MAX });
  }

  /** @returns the same objects for the same query, as long as it is known. */
  take(exchange: Pick<Exchange, 'target' | 'query'>): TakenQuery | Refusal {
    const text = exchange.target.query;
    const known = this.known.get(text);
    if (known !== undefined) return known;
    const taken = queryParameters(exchange.query);
    if (!isRefusal(taken) && text.length <= CHARACTERS_MAX) this.known.set(text, taken, weightOf(text, taken));
    return taken;
  }
}

function weightOf(text: string, { parameters }: TakenQuery): number {
  return ENTRY_WEIGHT + text.length + PARAMETER_WEIGHT * partsIn(parameters);
}

function partsIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce<number>((sum, part) => sum + partsIn(part), 1);
}
