/** NamedZones: a filter is read again with the rules of each time zone that it turns out to name. */
import type { TimeZone } from '../model/time-zone.ts';
import type { TimeZones } from '../sql/where.ts';
import type { ZoneSource } from './ports.ts';
import { databaseUnreachable, type Refusal } from './refusal.ts';

/** A shape's definition has the rules of each. */
const ZONES_MAX = 10;

/**
 * @param read says in `zone` of which zone it knows nothing.
 * @param refusal of a filter that names too many, by what is said of it.
 */
export async function withNamedZones<Read extends object>(
  source: ZoneSource,
  read: (zones: TimeZones) => Read,
  refusal: (why: string) => Refusal,
): Promise<Read | Refusal> {
  const known = new Map<string, TimeZone | string>();
  for (;;) {
    const answer = read((name) => known.get(name));
    if (!('zone' in answer) || typeof answer.zone !== 'string') return answer;
    if (known.size === ZONES_MAX) return refusal(`WHERE clause names more than ${ZONES_MAX} time zones`);
    const zone = await source.zone(answer.zone);
    if (zone === undefined) return databaseUnreachable();
    known.set(answer.zone, zone);
  }
}
