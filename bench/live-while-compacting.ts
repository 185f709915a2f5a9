/**
 * What a client feels that follows one shape while the logs of others are compacted: windows of both kinds by turns, in one service, so
 * that what else the machine has to do is in both. Of each commit it is measured how long it takes to the client. A window of the second
 * kind begins when the new files appear and ends when a checkpoint says that they count, so that nothing in it is waiting.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { pause } from '../src/base/pause.ts';
import { startEmbeddedPostgres } from '../src/demo/embedded-postgres.ts';
import { findCheckpoints } from '../src/storage/checkpoint/checkpoints.ts';
import { nodeDisk } from '../src/storage/disk/disk.ts';
import { passMissing } from '../src/storage/errors.ts';
import { generationOf } from '../src/storage/shapes/shape-lines.ts';
import { ShapeFollower } from '../test/support/service/shape-follower.ts';
import { openDatabase, type Database } from './database.ts';
import { startService, type Service } from './service.ts';

const COMMIT_EVERY_MS = 25;
const QUIET_MS = 10_000;
/** A small part of a window. */
const LOOK_EVERY_MS = 10;
const LEAVE_MS = 100;
const TITLE_BYTES = 400;
const UPDATES_PER_STATEMENT = 20_000;

/** @param updates of one row, in the log of each of so many shapes as there are windows. */
export async function liveWhileCompacting(updates: number, windows: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-live-'));
  const storage = join(directory, 'storage');
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } });
  const database = await openDatabase(postgres.url);
  try {
    await fill(database, await startService(postgres.url, storage, { ARMATURE_KEEP_EVERY_UPDATE: 'true' }), updates, windows);
    const service = await startService(postgres.url, storage);
    const live = await LiveClient.begin(database, service);
    await live.window(() => pause(systemClock, QUIET_MS)); // What a service does once is not measured.
    const quiet: number[] = [];
    const busy: number[] = [];
    for (let index = 0; index < windows; index += 1) {
      quiet.push(...(await live.window(() => pause(systemClock, QUIET_MS))));
      await begun(database, storage, index);
      busy.push(...(await live.window(() => counted(storage, index))));
      while (logsIn(storage, '.1.lines', 'alone').length <= index) await pause(systemClock, LOOK_EVERY_MS); // The old ones are removed.
    }
    await live.end();
    await service.stop();
    tell(quiet, busy);
  } finally {
    await database.close();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The logs, as they are when none was compacted. */
async function fill(database: Database, service: Service, updates: number, windows: number): Promise<void> {
  await database.query('CREATE TABLE live (id int PRIMARY KEY, n int NOT NULL); INSERT INTO live VALUES (1, 0)');
  for (let index = 0; index < windows; index += 1) {
    await database.query(`CREATE TABLE log_${index} (id int PRIMARY KEY, n int NOT NULL, title text);
      INSERT INTO log_${index} VALUES (1, 0, repeat('x', ${TITLE_BYTES}))`);
    const follower = await new ShapeFollower(`${service.url}/v1/shape`, { table: `log_${index}` }).catchUp();
    for (let left = updates; left > 0; left -= UPDATES_PER_STATEMENT) {
      await database.query(`DO $$ BEGIN FOR time IN 1..${Math.min(left, UPDATES_PER_STATEMENT)} LOOP
        UPDATE log_${index} SET n = log_${index}.n + 1, title = repeat(chr(97 + time % 26), ${TITLE_BYTES});
        IF time % 100 = 0 THEN COMMIT; END IF;
      END LOOP; END $$`);
    }
    while (follower.sorted()[0]?.['n'] !== String(updates)) await follower.poll();
  }
  await service.stop();
}

/** One more line: with the next checkpoint, some seconds later, its log is looked at. */
async function begun(database: Database, storage: string, index: number): Promise<void> {
  await database.query(`UPDATE log_${index} SET n = n + 1`);
  while (logsIn(storage, '.1.lines').length <= index) await pause(systemClock, LOOK_EVERY_MS);
}

/** Resolves when a checkpoint says of more logs than `index` that their new files count. */
async function counted(storage: string, index: number): Promise<void> {
  while ((await countedIn(storage)) <= index) await pause(systemClock, LOOK_EVERY_MS);
}

async function countedIn(storage: string): Promise<number> {
  try {
    const checkpoints = await findCheckpoints(nodeDisk, join(storage, 'checkpoint'));
    return [...checkpoints.shapes()].filter(({ lines }) => generationOf(lines) > 0).length;
  } catch (error) {
    passMissing(error); // The file that was there a moment ago has been replaced by the next one: it is looked at again.
    return 0;
  }
}

/** Files of a further generation; `alone` where those of before are gone. */
function logsIn(storage: string, ending: string, which?: 'alone'): readonly string[] {
  const names = readdirSync(join(storage, 'shapes'), { recursive: true }).map(String);
  const isAlone = (name: string): boolean => !names.includes(name.replace(ending, '.lines'));
  return names.filter((name) => name.endsWith(ending) && (which === undefined || isAlone(name)));
}

/** Follows a row of which each commit raises a number. */
class LiveClient {
  private n = 0;
  private readonly sentMs = new Map<number, number>();
  private latencies: number[] = [];
  private readonly leaving = new AbortController();
  private constructor(
    private readonly database: Database,
    private readonly follower: ShapeFollower,
  ) {}

  static async begin(database: Database, service: Service): Promise<LiveClient> {
    const follower = await new ShapeFollower(`${service.url}/v1/shape`, { table: 'live' }).catchUp();
    const client = new LiveClient(database, follower);
    void client.follow();
    return client;
  }

  /** Milliseconds of each commit while `action` runs. */
  async window(action: () => Promise<void>): Promise<readonly number[]> {
    this.latencies = [];
    let isOver = false;
    const over = action().finally(() => (isOver = true));
    while (!isOver) {
      await this.commit();
      await pause(systemClock, COMMIT_EVERY_MS);
    }
    await over;
    while (this.sentMs.size > 0) await pause(systemClock, 1);
    return this.latencies;
  }

  async end(): Promise<void> {
    this.leaving.abort();
    await pause(systemClock, LEAVE_MS);
  }

  private async commit(): Promise<void> {
    this.n += 1;
    this.sentMs.set(this.n, systemClock.nowMs());
    await this.database.query(`UPDATE live SET n = ${this.n}`);
  }

  private async follow(): Promise<void> {
    const { signal } = this.leaving;
    while (!signal.aborted) {
      await this.follower.poll(signal).catch((error: unknown) => {
        if (!signal.aborted) throw error;
      });
      this.arrived(Number(this.follower.sorted()[0]?.['n']));
    }
  }

  private arrived(n: number): void {
    const nowMs = systemClock.nowMs();
    for (const [sent, ms] of this.sentMs) {
      if (sent > n) continue;
      this.latencies.push(nowMs - ms);
      this.sentMs.delete(sent);
    }
  }
}

function tell(quiet: readonly number[], busy: readonly number[]): void {
  const of = (values: readonly number[], share: number): number =>
    values.toSorted((left, right) => left - right)[Math.floor(values.length * share)] ?? 0;
  const words = (values: readonly number[]): string =>
    `p50 ${of(values, 0.5).toFixed(1)} ms, p99 ${of(values, 0.99).toFixed(1)} ms of ${values.length}`;
  const times = of(busy, 0.99) / of(quiet, 0.99);
  process.stdout.write(`\nfrom a commit to a live client: quiet ${words(quiet)};\n`);
  process.stdout.write(`  while a log is compacted ${words(busy)}: ${times.toFixed(2)} × at the 99th\n`);
}
