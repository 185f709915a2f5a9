/** A table to which rows are committed one at a time, with a pause between them, and a client that waits for each of them. */
import { systemClock } from '../../src/base/clock.ts';
import { invariant } from '../../src/base/invariant.ts';
import type { Database } from '../database.ts';
import { pause } from '../timing.ts';
import type { Place, WayToWait } from './crowd.ts';
import { LiveClient } from './live-client.ts';

/** By then a client that was answered waits again. */
const SPACED_MS = 5;

export interface FollowedTable {
  readonly table: string;
  follow(place: Place, way: WayToWait): Promise<void>;
  /** Commits so many rows. @returns of each how long after its commit was acknowledged the client had it, in milliseconds. */
  delaysOf(commits: number): Promise<readonly number[]>;
  /** The same for as long as `work` takes. */
  delaysWhile(work: Promise<unknown>): Promise<readonly number[]>;
  close(): void;
}

/** Makes it. */
export async function followedTable(database: Database, table: string): Promise<FollowedTable> {
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, body text NOT NULL)`);
  let last = 0;
  let client: LiveClient | undefined;
  const delayOfOne = async (): Promise<number> => {
    invariant(client !== undefined, 'somebody follows the table');
    last += 1;
    const text = `commit ${last} of it`;
    const arrival = client.arrivalOf(text);
    await database.query(`INSERT INTO ${table} VALUES (${last}, '${text}')`);
    const acknowledgedMs = systemClock.nowMs();
    const delayMs = (await arrival) - acknowledgedMs;
    await pause(SPACED_MS);
    return delayMs;
  };
  return {
    table,
    follow: async (place, way) => void (client = await LiveClient.follow(place, way)),
    async delaysOf(commits) {
      const delays: number[] = [];
      while (delays.length < commits) delays.push(await delayOfOne());
      return delays;
    },
    async delaysWhile(work) {
      const delays: number[] = [];
      let isOver = false;
      const over = work.finally(() => (isOver = true));
      do delays.push(await delayOfOne());
      while (!isOver);
      await over;
      return delays;
    },
    close: () => client?.close(),
  };
}
