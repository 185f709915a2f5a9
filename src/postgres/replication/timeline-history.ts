/**
 * TimelineHistory: where the timelines that a server's own one came from were left. Behind that place each of them may have gone on
 * elsewhere; before it the WAL is the same.
 */
import type pg from 'pg';
import { lsnFromPostgres, type Lsn } from '../../model/lsn.ts';

/** By timeline, where its WAL ends for this server. */
export type TimelineHistory = ReadonlyMap<string, Lsn>;

const FIRST_TIMELINE = '1';
const NO_SUCH_FILE = '58P01';

/** @param client of a walsender. @returns what is known: Postgres may have removed the file. */
export async function timelineHistory(client: pg.Client, timeline: string): Promise<TimelineHistory> {
  if (timeline === FIRST_TIMELINE) return new Map();
  try {
    const { rows: [file] } = await client.query<{ content: string | Buffer }>(`TIMELINE_HISTORY ${timeline}`);
    return parseHistory(String(file?.content ?? ''));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === NO_SUCH_FILE) return new Map();
    throw error;
  }
}

/** A line for each: the timeline, where it was left, and why, between tabs. Others are comments. */
export function parseHistory(content: string): TimelineHistory {
  const lines = content.split('\n').flatMap((line) => {
    const match = /^\s*(\d+)\s+([0-9A-Fa-f]+\/[0-9A-Fa-f]+)/.exec(line);
    return match === null ? [] : [[match[1] ?? '', lsnFromPostgres(match[2] ?? '')] as const];
  });
  return new Map(lines);
}
