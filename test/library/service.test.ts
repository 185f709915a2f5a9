/** The service in a program of one's own: its options, what it tells, and a shape without a socket. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ConfigurationError, PortTakenError, startService, type Row, type Service, type ServiceOptions, type ShapeEvent, type ShapeMessage,
} from '../../src/index.ts';
import { createDatabase, streamIdOf, type TestDatabase } from '../support/postgres/postgres.ts';

let database: TestDatabase;
let service: Service;
let options: ServiceOptions;

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE items (id integer PRIMARY KEY, size integer, note text);
    CREATE TABLE owners (id integer PRIMARY KEY, is_here boolean);
    INSERT INTO items SELECT id, id * 10, 'first' FROM generate_series(1, 3) AS id;
    INSERT INTO owners VALUES (1, true), (2, false)`);
  const replicationStreamId = streamIdOf(database.url);
  options = { databaseUrl: database.url, replicationStreamId, storage: 'memory', logger: 'silent', listen: false };
  service = await startService(options);
  await untilActive(service);
});

afterAll(async () => {
  await service.stop();
  await database.drop();
});

async function untilActive(started: Service): Promise<void> {
  if (started.status().level === 'active') return;
  await new Promise<void>((resolve) => {
    const end = started.on('active', () => {
      end();
      resolve();
    });
  });
}

test('each mistake in the options is one line that names its option', async () => {
  const wrong = { databaseUrl: 'mysql://db', port: 99_999, longPollTimeoutMs: -1, sotrage: 'memory', secret: {}, storage: 'tape' };

  const error: unknown = await startService(wrong as never).catch((thrown: unknown) => thrown);

  expect([error instanceof ConfigurationError, (error as Error).message.split('\n')]).toEqual([
    true,
    [
      'sotrage is no option of startService. Did you mean storage?',
      'secret must be a text, a number, true or false',
      expect.stringMatching(/^databaseUrl: The database URL begins with mysql:/),
      'port must be a whole number from 0 to 65535',
      'longPollTimeoutMs must be a duration, as in 500ms, 20s or 2min',
      'storage must be disk or memory',
    ],
  ]);
});

test('who may read is said with the options, or no port is opened', async () => {
  const { listen: _, ...open } = options;

  await expect(startService(open)).rejects.toThrow(/^Neither a secret nor insecure mode is set\. Set secret, .* or listen: false/);
  expect(() => service.fetchHandler()).toThrow(ConfigurationError);
  expect(() => service.fetchHandler({ authorize: null as never })).toThrow(/^authorize must be a function/);
});

test('a port that is taken is one sentence, and the error of its class', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as { port: number };

  const listening = startService({ ...options, replicationStreamId: 'taken', listen: true, insecure: true, host: '127.0.0.1', port });
  const error: unknown = await listening.catch((thrown: unknown) => thrown);
  taken.close();

  expect([error instanceof PortTakenError, (error as Error).message]).toEqual([
    true,
    `127.0.0.1:${port} is already in use. Stop the program that listens there, or choose another port (--port).`,
  ]);
});

test('its lines go to the logger of the program, without a secret', async () => {
  const lines: { readonly fields: object; readonly message: string }[] = [];
  const write = (fields: object, message: string): void => void lines.push({ fields, message });
  const logger = { level: 'info', trace: write, debug: write, info: write, warn: write, error: write, fatal: write };
  const directory = mkdtempSync(join(tmpdir(), 'armature-library-'));

  const other = await startService({ ...options, replicationStreamId: `${options.replicationStreamId}_b`, storage: { directory }, logger });
  await untilActive(other);
  await other.stop();
  rmSync(directory, { recursive: true });

  const password = new URL(database.url).password;
  expect({
    messages: lines.map(({ message }) => message).filter((message) => /^(service|root)\./.test(message)),
    tells: password !== '' && JSON.stringify(lines).includes(password),
  }).toEqual({ messages: ['root.started', 'service.active', 'root.ended'], tells: false });
});

test('it says how it stands', () => {
  expect({ status: service.status(), url: service.url }).toEqual({
    status: { level: 'active', isReadable: true, why: undefined },
    url: '',
  });
});

/** The next so many messages, until an up-to-date. */
async function takeUntilCurrent(messages: AsyncIterator<ShapeMessage>): Promise<ShapeMessage[]> {
  const taken: ShapeMessage[] = [];
  for (;;) {
    const { value, done } = await messages.next();
    if (done === true) return taken;
    taken.push(value);
    if (!('key' in value) && value.headers.control === 'up-to-date') return taken;
  }
}

const told = (messages: readonly ShapeMessage[]): unknown[] =>
  messages.map((message) => ('key' in message ? [message.headers.operation, message.value] : message.headers.control));

test('a shape is followed from its rows on, change by change', async () => {
  const messages = service.shape({ table: 'items', where: 'size > $1', params: [10], columns: ['id', 'size'] })[Symbol.asyncIterator]();
  const first = await takeUntilCurrent(messages);

  await database.query('UPDATE items SET size = 5 WHERE id = 3');
  const second = await takeUntilCurrent(messages);
  await messages.return?.();

  expect([told(first), told(second)]).toEqual([
    [['insert', { id: '2', size: '20' }], ['insert', { id: '3', size: '30' }], 'snapshot-end', 'up-to-date'],
    [['delete', { id: '3' }], 'up-to-date'],
  ]);
});

test('its rows are whole whenever they are shown, also where they leave with a subquery', async () => {
  const shape = service.shape({ table: 'items', where: 'id IN (SELECT id FROM owners WHERE is_here)' });
  const rows = shape.rows()[Symbol.asyncIterator]();
  const notes = async (): Promise<unknown> => {
    const { value } = (await rows.next()) as IteratorResult<ReadonlyMap<string, Row>, undefined>;
    return [...(value?.values() ?? [])].map(({ id, note }) => `${id} ${note}`);
  };
  const first = await notes();

  await database.query("UPDATE items SET note = 'second' WHERE id = 1");
  const second = await notes();
  await database.query('UPDATE owners SET is_here = false WHERE id = 1');
  const third = await notes();
  await rows.return?.();

  expect([first, second, third]).toEqual([['1 first'], ['1 second'], []]);
});

test('what it refuses is thrown, in the words of the wire', async () => {
  const messages = service.shape({ table: 'items', where: 'size =' })[Symbol.asyncIterator]();

  await expect(messages.next()).rejects.toMatchObject({
    name: 'ShapeRequestError',
    status: 400,
    body: { message: 'Invalid request', errors: { where: [expect.stringContaining('syntax error')] } },
  });
});

test('shapes that begin and end are told, and a listener that throws harms nobody', async () => {
  const events: [string, ShapeEvent][] = [];
  const ends = [
    service.on('shape.started', () => {
      throw new Error('a listener of the program');
    }),
    service.on('shape.started', (event) => events.push(['started', event])),
    service.on('shape.ended', (event) => events.push(['ended', event])),
  ];
  const messages = service.shape({ table: 'items', where: "note = 'told'" })[Symbol.asyncIterator]();
  await takeUntilCurrent(messages);

  await database.query('ALTER TABLE items RENAME COLUMN size TO weight');
  await database.query("INSERT INTO items VALUES (9, 90, 'told')");
  const refetched = await takeUntilCurrent(messages);
  await messages.return?.();
  for (const end of ends) end();

  const ofThis = events.filter(([, { where }]) => where === "note = 'told'");
  expect({ events: ofThis.map(([what, { table, schema }]) => [what, schema, table]), first: told(refetched).slice(0, 2) }).toEqual({
    events: [['started', 'public', 'items'], ['ended', 'public', 'items'], ['started', 'public', 'items']],
    first: ['must-refetch', ['insert', { id: '9', weight: '90', note: 'told' }]],
  });
});

test('who is left while he waits is given up at once', async () => {
  const leaving = new AbortController();
  const messages = service.shape({ table: 'owners', signal: leaving.signal })[Symbol.asyncIterator]();
  await takeUntilCurrent(messages);
  const waiting = messages.next();

  leaving.abort();

  expect(await waiting).toEqual({ value: undefined, done: true });
});

test('everything ends with the service, and is told', async () => {
  const other = await startService({ ...options, replicationStreamId: `${options.replicationStreamId}_c` });
  await untilActive(other);
  const ended = new Promise((resolve) => other.on('ended', resolve));
  const messages = other.shape({ table: 'owners' })[Symbol.asyncIterator]();
  await takeUntilCurrent(messages);
  const waiting = messages.next();

  await other.stop();

  expect([await waiting, await ended, await other.ended]).toEqual([{ value: undefined, done: true }, { failure: undefined }, undefined]);
});
