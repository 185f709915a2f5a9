/** docker-compose.yml: well formed, and every variable in it one that its reader knows. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';
import { expect, test } from 'vitest';
import { readConfiguration } from '../../src/settings/configuration.ts';
import { type Setting, SETTINGS, variableOf } from '../../src/settings/settings.ts';
import { createDatabase } from '../support/postgres/postgres.ts';
import { parseDockerfile } from './dockerfile.ts';

interface ComposeService {
  readonly image?: string;
  readonly command?: readonly string[];
  readonly profiles?: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly healthcheck?: { readonly test: readonly string[] };
}

const REPOSITORY = join(import.meta.dirname, '../..');
const compose = parse(readFileSync(join(REPOSITORY, 'docker-compose.yml'), 'utf8')) as {
  readonly services: { readonly postgres: ComposeService; readonly armature: ComposeService; readonly demo: ComposeService };
  readonly volumes: Readonly<Record<string, unknown>>;
};
const { postgres, armature, demo } = compose.services;
const image = parseDockerfile(readFileSync(join(REPOSITORY, 'Dockerfile'), 'utf8')).at(-1);

/** The official image's own variables, from its documentation. */
const POSTGRES_VARIABLES = ['POSTGRES_USER', 'POSTGRES_PASSWORD', 'POSTGRES_DB'];

test('the file follows the compose schema', () => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'compose-schema.json'), 'utf8')) as object;
  const validate = new Ajv({ allErrors: true, strictTypes: false, strictTuples: false }).compile(schema);

  validate(compose);

  expect(validate.errors).toBeNull();
});

test.each([
  ['an unknown element', { services: { a: { image: 'x', imagee: 'y' } } }],
  ['a service without image and build', { services: { a: { ports: ['3000'] } } }],
  ['a port that is none', { services: { a: { image: 'x', ports: ['web:80'] } } }],
  ['a condition that does not exist', { services: { a: { image: 'x', depends_on: { b: { condition: 'ready' } } } } }],
  ['a health check without a test', { services: { a: { image: 'x', healthcheck: { interval: '1s' } } } }],
  ['a duration without a unit', { services: { a: { image: 'x', stop_grace_period: '30' } } }],
])('the schema refuses %s', (_, document) => {
  const schema = JSON.parse(readFileSync(join(import.meta.dirname, 'compose-schema.json'), 'utf8')) as object;
  const validate = new Ajv({ strictTypes: false, strictTuples: false }).compile(schema);

  expect(validate(document)).toBe(false);
});

test('every variable of the service and its image is one that our configuration knows, with a value it takes', () => {
  const environment = { ...variablesOfImage(), ...armature.environment };
  const known = Object.values<Setting>(SETTINGS).flatMap((setting) => [variableOf(setting), ...setting.electric]);
  const unknown = Object.keys(environment).filter((name) => !known.includes(name) && name !== 'NODE_ENV');

  const read = readConfiguration('start', {}, environment);

  expect({ unknown, problems: 'problems' in read ? read.problems : [] }).toEqual({ unknown: [], problems: [] });
});

test('Postgres gets its own variables, logical decoding, and the database that the service asks for', () => {
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres.environment;

  expect({
    variables: Object.keys(postgres.environment),
    command: postgres.command,
    url: armature.environment['DATABASE_URL'],
  }).toEqual({
    variables: POSTGRES_VARIABLES,
    command: ['postgres', '-c', 'wal_level=logical', '-c', 'max_slot_wal_keep_size=10GB'],
    url: `postgresql://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres:5432/${POSTGRES_DB}`,
  });
});

test('the service waits for a healthy Postgres, keeps its log in a named volume, and alone has a port, of this machine', () => {
  const volume = image?.instructions.find(({ keyword }) => keyword === 'VOLUME')?.text;

  expect({
    waitsFor: armature.depends_on,
    postgresSaysWhen: postgres.healthcheck?.test[0],
    storage: armature.volumes,
    declared: Object.keys(compose.volumes),
    ports: [...(postgres.ports ?? []), ...(armature.ports ?? [])],
  }).toEqual({
    waitsFor: { postgres: { condition: 'service_healthy' } },
    postgresSaysWhen: 'CMD-SHELL',
    storage: [`armature-storage:${volume}`],
    declared: ['postgres-data', 'armature-storage'],
    ports: ['127.0.0.1:3000:3000'],
  });
});

test('the demo comes when it is asked for, as a client of that Postgres, with a file that is there', () => {
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres.environment;
  const [source = '', target] = demo.volumes[0]?.split(':') ?? [];

  const isThere = existsSync(join(REPOSITORY, source));
  expect({ profiles: demo.profiles, environment: demo.environment, reads: demo.command?.at(-1), isThere }).toEqual({
    profiles: ['demo'],
    environment: { PGHOST: 'postgres', PGUSER: POSTGRES_USER, PGPASSWORD: POSTGRES_PASSWORD, PGDATABASE: POSTGRES_DB },
    reads: `--file=${target}`,
    isThere: true,
  });
});

test('the data of the demo is made once, and changes until it is ended', async () => {
  const database = await createDatabase();
  const statements = readFileSync(join(REPOSITORY, 'examples/compose/demo.sql'), 'utf8').split(/;\n\n/);
  const writer = await database.session();
  for (const _start of [1, 2]) for (const statement of statements.slice(0, -1)) await writer.query(statement);

  const ended = writer.query(statements.at(-1) ?? '').catch(({ message }: Error) => message);
  await database.until('SELECT FROM issues GROUP BY xmin::text HAVING count(*) < 360 AND count(*) > 0');
  await database.query(`
    SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`);

  const [counts] = await database.query('SELECT (SELECT count(*)::int FROM projects) AS projects, count(*)::int AS issues FROM issues');
  const how = await ended;
  await database.drop();
  expect({ counts, how }).toEqual({ counts: { projects: 12, issues: 360 }, how: 'canceling statement due to user request' });
});

function variablesOfImage(): Record<string, string> {
  const pairs = (image?.instructions ?? []).filter(({ keyword }) => keyword === 'ENV').flatMap(({ text }) => text.split(' '));
  return Object.fromEntries(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
