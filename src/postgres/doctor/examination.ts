/**
 * Examination: every check of a database, one after the other, whatever the role may see of it.
 *
 * Nothing is changed: each check has a transaction of its own that may only read and is rolled back, and a bound on its
 * time. A check that Postgres refuses says so, and the others go on.
 */
import type pg from 'pg';
import type { DatabaseTarget } from '../../settings/database-url.ts';
import { connect } from '../connection/connection.ts';
import { DatabaseRefusedError, typed, worldError } from '../connection/database-error.ts';
import { connectProblem } from '../connection/preflight.ts';
import type { Check, Subject } from './check.ts';
import { fail, ok, warn, type Finding, type Told } from './finding.ts';
import { SERVER_CHECKS } from './server-checks.ts';
import { STREAM_CHECKS } from './stream-checks.ts';
import { TABLE_CHECKS } from './table-checks.ts';

export const CHECKS: readonly Check[] = [...SERVER_CHECKS, ...STREAM_CHECKS, ...TABLE_CHECKS];

const CONNECT_MS_MAX = 10_000;
const CHECK_TIMEOUT = '10s';

/** @returns in the order of the checks; the first is of the connection, and the only one where there is none. */
export async function examine(subject: Subject): Promise<readonly Finding[]> {
  const connection = await opened(subject.target);
  if ('verdict' in connection) return [{ check: 'connection', ...connection }];
  try {
    const findings: Finding[] = [{ check: 'connection', ...connected(subject.target, connection) }];
    for (const check of CHECKS) findings.push(...(await lookedAt(check, connection, subject)));
    return [...findings, ...(await pooledFindings(subject))];
  } finally {
    await connection.end();
  }
}

async function opened(target: DatabaseTarget): Promise<pg.Client | Told> {
  try {
    return await connect(target, { applicationName: 'armature doctor', timeoutMs: CONNECT_MS_MAX });
  } catch (error) {
    const refused = worldError(error);
    if (refused === undefined) throw error;
    return fail(connectProblem(refused, target).message);
  }
}

function connected({ host, port, user, database }: DatabaseTarget, { connection }: pg.Client): Told {
  const how = 'encrypted' in connection.stream ? 'encrypted' : 'not encrypted';
  return ok(`Connected to ${host}:${port}, database "${database}", as "${user}", ${how}`);
}

/** @throws {DatabaseUnreachableError} the connection broke: there is nothing left to look at. */
async function lookedAt({ id, look }: Check, client: pg.Client, subject: Subject): Promise<readonly Finding[]> {
  const told = await toldBy(look, client, subject);
  await typed(() => client.query('ROLLBACK'));
  return told.map((finding) => ({ check: id, ...finding }));
}

async function toldBy(look: Check['look'], client: pg.Client, subject: Subject): Promise<readonly Told[]> {
  try {
    return await typed(async () => {
      await client.query(`BEGIN READ ONLY; SET LOCAL statement_timeout = '${CHECK_TIMEOUT}'`);
      return await look(client, subject);
    });
  } catch (error) {
    if (!(error instanceof DatabaseRefusedError)) throw error;
    return [warn(`This could not be looked at: ${error.message}`)];
  }
}

async function pooledFindings({ pooledTarget }: Subject): Promise<readonly Finding[]> {
  if (pooledTarget === undefined) return [];
  const connection = await opened(pooledTarget);
  if ('verdict' in connection) return [{ check: 'pooled_connection', ...connection }];
  await connection.end();
  return [{ check: 'pooled_connection', ...ok(`Snapshots are queried through ${pooledTarget.host}:${pooledTarget.port}`) }];
}
