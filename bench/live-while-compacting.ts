/**
 * What a client feels that follows one shape while the log of another is compacted: windows of both kinds by turns, in services that are
 * alike, so that what else the machine has to do is in both. Of each commit it is measured how long it takes to the client. A log is looked
 * at behind the first checkpoint of a service that finds it: there the window of the second kind begins, and it ends when another
 * checkpoint says that the new files count. Between the last line of these and that checkpoint it waits for nothing but the clock: what
 * was committed then is left out.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../src/base/clock.ts';
import { invariant } from '../src/base/invariant.ts';
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
const ROWS = 1_000;
/** Of one client. */
const COMMITS_MAX = 1_000_000;
/** A checkpoint that takes a log over copies and syncs before it says so: well within this. */
const TAKE_OVER_MS = 500;
/** What was sent by then has met whatever was under way. */
const REACH_MS = 30;
/** With fewer, of a log that is too short, a percentile says nothing. */
const ARRIVALS_MIN = 100;

/** Of one commit. */
interface Arrival {
  readonly sentMs: number;
  readonly tookMs: number;
}

/** @param updates in the log that is compacted in each of the windows. */
export async function liveWhileCompacting(updates: number, windows: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'armature-live-'));
  const storage = join(directory, 'storage');
  const postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } });
  const database = await openDatabase(postgres.url);
  try {
    await database.query('CREATE TABLE live (id int PRIMARY KEY, n int NOT NULL); INSERT INTO live VALUES (1, 0)');
    const quiet: Arrival[] = [];
    const busy: Arrival[] = [];
    for (let index = 0; index < windows; index += 1) {
      await fill(database, await startService(postgres.url, storage, { ARMATURE_KEEP_EVERY_UPDATE: 'true' }), updates, index);
      const before = newestCheckpointMs(storage);
      const service = await startService(postgres.url, storage);
      const live = await LiveClient.begin(database, service, index);
      await live.window(() => checkpointed(storage, before)); // What a service does once is not measured.
      busy.push(...(await whileCompacted(live, storage, index)));
      quiet.push(...(await live.window(() => pause(systemClock, QUIET_MS))));
      await live.end();
      await service.stop();
    }
    invariant(Math.min(quiet.length, busy.length) >= ARRIVALS_MIN, `both windows have commits: ${quiet.length} and ${busy.length}`);
    tell(quiet, busy);
  } finally {
    await database.close();
    await postgres.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function whileCompacted(live: LiveClient, storage: string, index: number): Promise<readonly Arrival[]> {
  let writtenMs = 0;
  const arrivals = await live.window(async () => void (writtenMs = await counted(storage, index)));
  const countedMs = systemClock.nowMs();
  return arrivals.filter(({ sentMs }) => sentMs < writtenMs + REACH_MS || sentMs > countedMs - TAKE_OVER_MS);
}

/** A log, as it is when it was not compacted. */
async function fill(database: Database, service: Service, updates: number, index: number): Promise<void> {
  await database.query(`CREATE TABLE log_${index} (id int PRIMARY KEY, n int NOT NULL, title text);
    INSERT INTO log_${index} SELECT id, 0, repeat('x', ${TITLE_BYTES}) FROM generate_series(1, ${ROWS}) AS id`);
  const follower = await new ShapeFollower(`${service.url}/v1/shape`, { table: `log_${index}` }).catchUp();
  for (let done = 0; done < updates; done += UPDATES_PER_STATEMENT) {
    await database.query(`DO $$ BEGIN FOR time IN ${done + 1}..${Math.min(updates, done + UPDATES_PER_STATEMENT)} LOOP
      UPDATE log_${index} SET n = time, title = repeat(chr(97 + time % 26), ${TITLE_BYTES}) WHERE id = 1 + time % ${ROWS};
      IF time % 100 = 0 THEN COMMIT; END IF;
    END LOOP; END $$`);
  }
  while (!follower.sorted().some(({ n }) => n === String(updates))) await follower.poll();
  await service.stop();
}

async function checkpointed(storage: string, beforeMs: number): Promise<void> {
  while (newestCheckpointMs(storage) === beforeMs) await pause(systemClock, LOOK_EVERY_MS);
}

/**
 * Resolves when a checkpoint says of more logs than `index` that their new files count.
 *
 * @returns when something was last written to them before it.
 */
async function counted(storage: string, index: number): Promise<number> {
  let [bytes, writtenMs] = [0, Infinity];
  while ((await countedIn(storage)) <= index) {
    const now = newBytes(storage);
    if (now !== bytes || now === 0) [bytes, writtenMs] = [now, systemClock.nowMs()];
    await pause(systemClock, LOOK_EVERY_MS);
  }
  return writtenMs;
}

function newBytes(storage: string): number {
  return logsIn(storage, '.1.lines').reduce((sum, name) => sum + statSync(join(storage, 'shapes', name)).size, 0);
}

function newestCheckpointMs(storage: string): number {
  const directory = join(storage, 'checkpoint');
  return Math.max(...readdirSync(directory).map((name) => statSync(join(directory, name), { throwIfNoEntry: false })?.mtimeMs ?? 0));
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

/** Files of a further generation. */
function logsIn(storage: string, ending: string): readonly string[] {
  const directory = join(storage, 'shapes'); // It is made with the first file.
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true }).map(String).filter((name) => name.endsWith(ending));
}

/** Follows a row of which each commit raises a number. */
class LiveClient {
  private readonly sentMs = new Map<number, number>();
  private arrivals: Arrival[] = [];
  private readonly leaving = new AbortController();
  private constructor(
    private readonly database: Database,
    private readonly follower: ShapeFollower,
    private n: number,
  ) {}

  /** @param nth how many there were before. */
  static async begin(database: Database, service: Service, nth: number): Promise<LiveClient> {
    const follower = await new ShapeFollower(`${service.url}/v1/shape`, { table: 'live' }).catchUp();
    const client = new LiveClient(database, follower, nth * COMMITS_MAX);
    void client.follow();
    return client;
  }

  /** Of the commits while `action` runs. */
  async window(action: () => Promise<void>): Promise<readonly Arrival[]> {
    this.arrivals = [];
    let isOver = false;
    const over = action().finally(() => (isOver = true));
    while (!isOver) {
      await this.commit();
      await pause(systemClock, COMMIT_EVERY_MS);
    }
    await over;
    while (this.sentMs.size > 0) await pause(systemClock, 1);
    return this.arrivals;
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
    for (const [sent, sentMs] of this.sentMs) {
      if (sent > n) continue;
      this.arrivals.push({ sentMs, tookMs: nowMs - sentMs });
      this.sentMs.delete(sent);
    }
  }
}

function tell(quiet: readonly Arrival[], busy: readonly Arrival[]): void {
  const of = (values: readonly Arrival[], share: number): number =>
    values.map(({ tookMs }) => tookMs).sort((left, right) => left - right)[Math.floor(values.length * share)] ?? 0;
  const words = (values: readonly Arrival[]): string =>
    `p50 ${of(values, 0.5).toFixed(1)} ms, p99 ${of(values, 0.99).toFixed(1)} ms of ${values.length}`;
  const times = of(busy, 0.99) / of(quiet, 0.99);
  process.stdout.write(`\nfrom a commit to a live client: quiet ${words(quiet)};\n`);
  process.stdout.write(`  while a log is compacted ${words(busy)}: ${times.toFixed(2)} × at the 99th\n`);
}
