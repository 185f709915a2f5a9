/**
 * Moving over: the built package with the environment of a compose file that was written for ElectricSQL, over a database in
 * which ElectricSQL has left its slot and its publication, and a client that has followed ElectricSQL until a moment ago.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Shape, ShapeStream, type Row } from '@electric-sql/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parse } from 'yaml';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';
import { freePort, spawnService, untilActive, type ServiceProcess } from '../support/service/service-process.ts';
import { parseDockerfile } from './dockerfile.ts';

interface ElectricCompose {
  readonly services: { readonly electric: { readonly environment: Readonly<Record<string, string | number>> } };
}

const REPOSITORY = join(import.meta.dirname, '../..');
const compose = parse(readFileSync(join(import.meta.dirname, 'electric-compose.yml'), 'utf8')) as ElectricCompose;
const directory = mkdtempSync(join(tmpdir(), 'armature-moving-'));
let database: TestDatabase;

beforeAll(async () => {
  database = await createDatabase();
  const id = streamIdOf(database.url);
  await database.query(`CREATE TABLE items (id integer PRIMARY KEY, title text); INSERT INTO items VALUES (1, 'one'), (2, 'two');
    ALTER TABLE items REPLICA IDENTITY FULL; CREATE PUBLICATION electric_publication_${id} FOR TABLE items`);
  await database.query(`SELECT pg_create_logical_replication_slot('electric_slot_${id}', 'pgoutput')`);
});

afterAll(async () => {
  await database.drop();
  rmSync(directory, { recursive: true, force: true });
});

/** The image's variables and the container's, which weigh more; what is of this machine and this test stands in their place. */
async function startAsContainer(more: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
  const { electric } = compose.services;
  const port = await freePort();
  const environment = Object.entries({ ...variablesOfImage(), ...electric.environment }).map(([name, value]) => [name, String(value)]);
  const replaced = {
    ...Object.fromEntries(environment) as Record<string, string>,
    DATABASE_URL: `${database.url}?sslmode=disable`,
    ELECTRIC_PORT: String(port),
    ELECTRIC_STORAGE_DIR: join(directory, String(electric.environment['ELECTRIC_STORAGE_DIR'])),
    ELECTRIC_REPLICATION_STREAM_ID: streamIdOf(database.url),
  };
  return await spawnService({
    databaseUrl: database.url,
    storageDirectory: '',
    port,
    environment: { ARMATURE_INSECURE: '', ARMATURE_PORT: '', ARMATURE_REPLICATION_STREAM_ID: '', ...replaced, ...more },
  });
}

function variablesOfImage(): Readonly<Record<string, string>> {
  const image = parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')).at(-1);
  const pairs = (image?.instructions ?? []).filter(({ keyword }) => keyword === 'ENV').flatMap(({ text }) => text.split(' '));
  return Object.fromEntries(pairs.map((pair) => pair.split('=', 2)));
}

test('a start beside what ElectricSQL left says what to do, and takes nothing from it', async () => {
  const service = await startAsContainer();
  await once(service.child, 'exit');

  const [slot] = await database.query(`
    SELECT count(*)::int AS slots FROM pg_replication_slots WHERE NOT active AND database = current_database()`);
  expect({ code: service.child.exitCode, says: service.output(), slot }).toEqual({
    code: 1,
    says: expect.stringMatching(/Armature did not make[^]*ARMATURE_TAKE_OVER_SLOT=true/),
    slot: { slots: 1 },
  });
});

test('with its slot taken over, its settings hold, and a client that followed it goes on after one refetch', async () => {
  const service = await startAsContainer({ ARMATURE_TAKE_OVER_SLOT: 'true' });
  await untilActive(service);
  const answers: { status: number; offset: string | null }[] = [];
  const leaving = new AbortController();
  const stream = new ShapeStream<Row>({
    url: service.shapeUrl,
    params: { table: 'items', secret: String(compose.services.electric.environment['ELECTRIC_SECRET']) },
    handle: '38291483-1721812114444', // Of a shape of ElectricSQL, which the client has read up to here.
    offset: '26800584_4',
    signal: leaving.signal,
    fetchClient: async (input, init) => {
      const answer = await fetch(input, init);
      answers.push({ status: answer.status, offset: new URL(String(input)).searchParams.get('offset') });
      return answer;
    },
  });
  // @ts-expect-error its type does not know that an optional property may be there and undefined.
  const shape = new Shape<Row>(stream);
  const first = await shape.rows;

  await database.query("INSERT INTO items VALUES (3, 'three')");
  await expect.poll(() => shape.currentRows.length).toBe(3);

  leaving.abort();
  const withoutSecret = await fetch(`${service.shapeUrl}?table=items&offset=-1`);
  const code = await service.stop();
  expect({
    first: first.length,
    refetches: answers.filter(({ status }) => status === 409).length,
    begins: answers.filter(({ offset }) => offset === '-1').length,
    withoutSecret: withoutSecret.status,
    stored: readdirSync(join(directory, '/app/persistent')).includes('log'),
    ignored: service.output(),
    code,
  }).toMatchObject({
    first: 2,
    refetches: 1,
    begins: 1,
    withoutSecret: 401,
    stored: true,
    ignored: expect.stringContaining('"variables":["ELECTRIC_INSTANCE_ID","ELECTRIC_USAGE_REPORTING"]'),
    code: 0,
  });
});
