/** Each named process killed in turn: who comes back anew is what the strategies say, and everybody else stays. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Name, Pid } from '../../src/otp/process.ts';
import type { ProcessTree } from '../../src/otp/tree.ts';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { activeAgain, startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';
import { ShapeFollower } from '../support/service/shape-follower.ts';

let database: TestDatabase;
let service: ServiceInProcess;

beforeEach(async () => {
  database = await createDatabase();
  await database.query("CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one')");
  service = await startServiceInProcess({ databaseUrl: database.url });
});

afterEach(async () => {
  await service.remove();
  await database.drop();
});

/** Paths of all processes with the pid of each; a Consumer's handle is written `*`. */
function pids(): Map<string, Pid> {
  const found = new Map<string, Pid>();
  const walk = (path: string, { id, pid, children }: ProcessTree): void => {
    const here = `${path}/${/^\d+-\d+$/.test(id) ? '*' : id}`;
    found.set(here.slice(1), pid);
    for (const child of children) walk(here, child);
  };
  for (const root of service.runtime.tree()) walk('', root);
  return found;
}

const CONNECTIONS = [
  'lock',
  'connection-lock',
  'replication',
  'replication-client',
  'pools',
  'connection-pools',
  'publication',
  'snapshots',
  'move-queries',
  'subset-queries',
  'slot',
  'wal-watch',
];
const SHAPES = [
  'shape-log-collector', 'catch-up-collector', 'publication-manager', 'consumers', 'consumers/*', 'shape-cache', 'expiry',
];
const connectionsFrom = (first: string) => CONNECTIONS.slice(CONNECTIONS.indexOf(first)).map((id) => `stack/connections/${id}`);
const allShapes = SHAPES.map((id) => `stack/shapes/${id}`);

const CASES: readonly { name: Name; renewed: readonly string[] }[] = [
  { name: '@journal', renewed: ['stack/journal'] },
  { name: '@disk', renewed: ['stack/storage/disk'] },
  { name: '@disk-monitor', renewed: ['stack/storage/disk-monitor'] },
  { name: '@log-writer', renewed: ['stack/storage/log-writer'] },
  { name: '@log-reader', renewed: ['stack/storage/log-reader'] },
  { name: '@shape-reader', renewed: ['stack/storage/shape-reader'] },
  { name: '@checkpoints', renewed: ['stack/storage/checkpoints'] },
  { name: '@splices', renewed: ['stack/storage/splices'] },
  { name: '@checkpointer', renewed: ['stack/storage/checkpointer'] },
  { name: '@status-monitor', renewed: ['stack/status-monitor'] },
  { name: '@http', renewed: ['stack/http'] },
  { name: '@lock', renewed: connectionsFrom('lock') },
  { name: '@connection-lock', renewed: connectionsFrom('connection-lock') },
  { name: '@replication', renewed: connectionsFrom('replication') },
  { name: '@replication-client', renewed: connectionsFrom('replication-client') },
  { name: '@pools', renewed: connectionsFrom('pools') },
  { name: '@connection-pools', renewed: connectionsFrom('connection-pools') },
  { name: '@publication', renewed: connectionsFrom('publication') },
  { name: '@snapshots', renewed: connectionsFrom('snapshots') },
  { name: '@move-queries', renewed: connectionsFrom('move-queries') },
  { name: '@subset-queries', renewed: connectionsFrom('subset-queries') },
  { name: '@slot', renewed: connectionsFrom('slot') },
  { name: '@wal-watch', renewed: connectionsFrom('wal-watch') },
  { name: '@shape-log-collector', renewed: allShapes },
  { name: '@catch-up-collector', renewed: allShapes },
  { name: '@publication-manager', renewed: allShapes },
  { name: '@consumers', renewed: allShapes },
  { name: '@shape-cache', renewed: allShapes },
];

test.each(CASES)('$name killed: its strategy says who is renewed, the shape goes on under its handle', async ({ name, renewed }) => {
  const follower = await new ShapeFollower(service.shapeUrl, { table: 'items' }).catchUp();
  const { handle } = follower;
  await expect.poll(() => [...pids().keys()].filter((path) => path.includes('snapshotter/'))).toEqual([]);
  const before = pids();

  service.runtime.exit(name, 'kill');
  await expect.poll(() => [...pids().keys()].sort()).toEqual([...before.keys()].sort());
  await expect.poll(() => renewedSince(before)).toEqual([...renewed].sort());
  await activeAgain(service);

  await database.query("INSERT INTO items VALUES (2, 'two')");
  await expect.poll(async () => (await follower.catchUp()).rows.size).toBe(2);
  expect({ handle: follower.handle, refetches: follower.refetches }).toEqual({ handle, refetches: 0 });
});

function renewedSince(before: Map<string, Pid>): string[] {
  const now = pids();
  return [...before].filter(([path, pid]) => now.get(path) !== pid).map(([path]) => path).sort();
}

test('a Consumer killed by force takes down only its own shape', async () => {
  const [doomed, spared] = await Promise.all(
    [{ table: 'items' }, { table: 'items', where: 'id < 10' }].map((params) => new ShapeFollower(service.shapeUrl, params).catchUp()),
  );
  const handles = [doomed?.handle, spared?.handle];
  service.runtime.exit(`@consumer/${doomed?.handle}`, 'kill');
  await expect.poll(async () => (await doomed?.catchUp())?.refetches).toBe(1);
  await spared?.catchUp();
  expect({ renewed: doomed?.handle !== handles[0], spared: spared?.handle, rows: [doomed?.rows.size, spared?.rows.size] }).toEqual({
    renewed: true,
    spared: handles[1],
    rows: [1, 1],
  });
});

test('beyond its restart intensity the service gives up, and says why', async () => {
  const monitor = () => service.runtime.whereis('@status-monitor');
  for (let kill = 0, last: Pid | undefined; kill < 4; kill += 1) {
    await expect.poll(() => monitor() ?? last, { interval: 1 }).not.toBe(last); // It is there again: a kill between two would meet nobody.
    last = monitor();
    service.runtime.exit('@status-monitor', 'kill');
  }
  expect(await service.ended).toMatch(/gave up/);
});
