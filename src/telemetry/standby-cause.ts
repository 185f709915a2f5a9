/**
 * StandbyCause: why an instance waits that has found another one in its storage, in one sentence. What it names to whom is as in
 * HealthCause.
 */
import type { LockHolder } from '../postgres/connection/lock-holder.ts';
import type { SeenLock } from '../storage/disk/directory-lock.ts';
import { sessionText, troubleText, TROUBLES } from './health-cause.ts';
import type { Trouble } from './service-troubles.ts';

export interface StandbySource {
  /** Who works in the directory, and since when we know that one; undefined before the first look. */
  readonly directory: { readonly by: Pick<SeenLock, 'host' | 'pid'>; readonly sinceMicros: number } | undefined;
  /** That one has gone, and the storage is being taken over. */
  readonly isOpening: boolean;
  /** Who has the advisory lock; undefined where nobody has it, or Postgres does not say. */
  readonly session: LockHolder | undefined;
  /** What keeps Postgres from being asked. */
  readonly pools: Trouble | undefined;
  readonly nowMs: number;
}

/** @param isTrusted the secret was given, or there is none. */
export function standbyCause({ directory, isOpening, session, pools, nowMs }: StandbySource, isTrusted: boolean): string {
  const known = isTrusted && directory !== undefined ? knownText(directory, session) : '';
  const waits = isOpening
    ? 'the instance that worked in the storage has gone; this one takes it over, and serves what was stored until it is open'
    : `another instance works in the storage${known}; this one serves what is stored, and takes over when that has ended`;
  return pools === undefined ? waits : `${waits}; ${troubleText(TROUBLES.pools, pools, nowMs, isTrusted)}`;
}

function knownText({ by: { host, pid }, sinceMicros }: NonNullable<StandbySource['directory']>, session: LockHolder | undefined): string {
  const since = new Date(sinceMicros / 1000).toISOString();
  const place = `: process ${pid}${host === '' ? '' : ` on ${host}`}, seen there since ${since}`;
  return session === undefined ? place : `${place}, and the lock is held by ${sessionText(session)}`;
}
