/**
 * Demo database: a small schema to try the service on, and somebody who keeps changing it.
 *
 * Made once; a second start finds it and goes on. It touches nothing but its own two tables.
 */
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** A connection that can run one statement with parameters. */
export interface DemoConnection {
  query(sql: string, values?: readonly unknown[]): Promise<{ readonly rows: readonly Record<string, unknown>[] }>;
}

const PROJECTS = 12;
const ISSUES = 360;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS projects (
    id integer PRIMARY KEY,
    name text NOT NULL,
    active boolean NOT NULL DEFAULT true
  );
  CREATE TABLE IF NOT EXISTS issues (
    id integer PRIMARY KEY,
    project_id integer NOT NULL REFERENCES projects (id) ON DELETE CASCADE,
    title text NOT NULL,
    status text NOT NULL DEFAULT 'open',
    priority integer NOT NULL DEFAULT 3,
    updated_at timestamptz NOT NULL DEFAULT now()
  );`;

const SEED = `
  INSERT INTO projects (id, name, active)
  SELECT n, 'Project ' || n, n % 3 <> 0 FROM generate_series(1, ${PROJECTS}) AS n
  ON CONFLICT DO NOTHING;
  INSERT INTO issues (id, project_id, title, status, priority)
  SELECT n, 1 + n % ${PROJECTS}, 'Issue ' || n, (ARRAY['open', 'started', 'done'])[1 + n % 3], 1 + n % 5
  FROM generate_series(1, ${ISSUES}) AS n
  ON CONFLICT DO NOTHING;`;

/** Creates what is missing. Safe to call again. */
export async function createDemoSchema(connection: DemoConnection): Promise<void> {
  await connection.query(SCHEMA);
  await connection.query(SEED);
}

/**
 * Changes one issue or project, over and over, with `everyMs` between two changes.
 *
 * @returns stops it; resolves when no statement is under way any more.
 */
export function keepChanging(connection: DemoConnection, clock: Clock, random: Random, everyMs: number): () => Promise<void> {
  let isStopped = false;
  let underWay: Promise<unknown> = Promise.resolve();
  const change = (): void => {
    if (isStopped) return;
    const { sql, values } = nextChange(random);
    // The database may be away for a while; the next change finds out whether it is back.
    underWay = connection.query(sql, values).then(undefined, () => undefined).then(() => clock.setTimer(change, everyMs));
  };
  change();
  return async () => {
    isStopped = true;
    await underWay;
  };
}

function nextChange(random: Random): { sql: string; values: readonly unknown[] } {
  const issue = 1 + random.below(ISSUES);
  switch (random.below(4)) {
    case 0:
      return { sql: 'UPDATE issues SET priority = $2, updated_at = now() WHERE id = $1', values: [issue, 1 + random.below(5)] };
    case 1:
      return { sql: 'UPDATE projects SET active = NOT active WHERE id = $1', values: [1 + random.below(PROJECTS)] };
    default:
      return {
        sql: "UPDATE issues SET status = (ARRAY['open', 'started', 'done'])[$2::integer], updated_at = now() WHERE id = $1",
        values: [issue, 1 + random.below(3)],
      };
  }
}
