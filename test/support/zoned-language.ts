/** The language with the time zones of a server, which is asked for each that a filter turns out to name. */
import type { TimeZone } from '../../src/model/time-zone.ts';
import { createTimeZones, type TimeZones } from '../../src/postgres/catalog/time-zones.ts';
import { typed } from '../../src/postgres/connection/database-error.ts';
import type { TimeZones as KnownZones, Where, WhereColumn, WhereError, WhereLanguage } from '../../src/sql/where.ts';
import type { TestDatabase } from './postgres/postgres.ts';
import { C } from './where-expressions.ts';

export type ZonedParse = (
  text: string,
  columns: readonly WhereColumn[],
  params?: Readonly<Record<string, string>>,
) => Promise<Where | WhereError>;

/** Of the server on which the database is. */
export function timeZonesOf(database: Pick<TestDatabase, 'query'>): TimeZones {
  return createTimeZones({ query: (sql, params) => typed(() => database.query(sql, params)) });
}

/** Reads a filter again with each zone that it turns out to name. */
export function zonedReader(timeZones: TimeZones): <Read extends object>(read: (zones: KnownZones) => Read) => Promise<Read> {
  const known = new Map<string, TimeZone | string>();
  return async function readAgain(read) {
    const answer = read((name) => known.get(name));
    if (!('zone' in answer) || typeof answer.zone !== 'string') return answer;
    known.set(answer.zone, await timeZones.zone(answer.zone));
    return readAgain(read);
  };
}

/** In a database whose collation is "C". @param version of Postgres; left out for the newest one. */
export function zonedParse(language: WhereLanguage, timeZones: TimeZones, version?: number): ZonedParse {
  const read = zonedReader(timeZones);
  return (text, columns, params = {}) => {
    return read((zones) => language.parse(text, params, columns, undefined, { collation: C, zones, version }));
  };
}
