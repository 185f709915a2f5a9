/** The service in a program of one's own: its options, what it tells, and a shape without a socket. */
import { createServer } from 'node:net';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  ConfigurationError, PortTakenError, startService, type Row, type Service, type ServiceOptions, type ShapeEvent, type ShapeMessage,
  type StartStep,
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

/** What comes one after the other, to be waited for. */
class Turns {
  private waited: { readonly turn: string; readonly come: () => void } | undefined;

  next(turn: string): void {
    if (turn === this.waited?.turn) this.waited.come();
  }

  /** Resolves with the next one of that name. */
  until(turn: string): Promise<void> {
    return new Promise((come) => (this.waited = { turn, come }));
  }
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
      'longPollTimeoutMs must be a duration, as in 500ms, 20s, 2min, 12h or 30d',
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

test('it says how it stands', async () => {
  const { url, observerUrl, inspectionUrl, metricsUrl } = service;
  expect({ status: service.status(), cause: await service.cause(), places: { url, observerUrl, inspectionUrl, metricsUrl } }).toEqual({
    status: { level: 'active', isReadable: true, why: undefined },
    cause: undefined,
    places: { url: '', observerUrl: undefined, inspectionUrl: undefined, metricsUrl: undefined },
  });
});

test('it says where it can be looked at', async () => {
  const replicationStreamId = `${options.replicationStreamId}_e`;
  const shown = { listen: true, insecure: true, host: '127.0.0.1', port: 0, inspect: true, inspectPort: 0 };
  const other = await startService({ ...options, ...shown, replicationStreamId });
  const { url, observerUrl = '', inspectionUrl = '' } = other;
  const pages = await Promise.all([observerUrl, inspectionUrl].map(async (place) => await (await fetch(place)).text()));
  await other.stop();

  const address = /^http:\/\/127\.0\.0\.1:\d+$/;
  expect({ observerUrl, are: [url, inspectionUrl].map((place) => address.test(place)), names: pages[1]?.includes(observerUrl) }).toEqual({
    observerUrl: `${url}/_observer`,
    are: [true, true],
    names: true,
  });
});

test('the log tells when stored shapes begin to come back, and when they are there', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-library-'));
  const told: unknown[] = [];
  let stored = 0;
  const write = ({ count }: { readonly count?: number }, message: string): void => {
    if (message === 'snapshot.completed') stored += 1;
    if (message.startsWith('shapes.')) told.push([message, count]);
  };
  const logger = { trace: write, debug: write, info: write, warn: write, error: write, fatal: write };
  const own = { ...options, storage: { directory }, replicationStreamId: `${options.replicationStreamId}_g`, logger };
  const first = await startService(own);
  for (const table of ['items', 'owners']) await takeUntilCurrent(first.shape({ table })[Symbol.asyncIterator]());
  await expect.poll(() => stored).toBe(2); // Who is current may have come before.
  await first.stop();
  told.length = 0;

  const second = await startService(own);
  await untilActive(second);
  await second.stop();
  rmSync(directory, { recursive: true });

  expect(told).toEqual([['shapes.restoring', 2], ['shapes.restored', 2]]);
});

test('who looks on while it starts is told each step, and gets the lines of the log', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'armature-library-'));
  const replicationStreamId = `${options.replicationStreamId}_f`;
  const steps: string[] = [];
  const lines: string[] = [];
  const begin = async (): Promise<void> => {
    const watch = {
      step: ({ what, done, of }: StartStep) => void steps.push(of === undefined ? what : `${what} ${done}/${of}`),
      logLines: { form: 'human', write: (line: string) => void lines.push(line) } as const,
    };
    const other = await startService({ ...options, storage: { directory }, replicationStreamId, logger: 'info' }, undefined, watch);
    await other.stop();
  };

  await begin();
  await begin();
  rmSync(directory, { recursive: true });

  expect({ steps, opened: lines.filter((line) => / info storage\.opened durationMs=\d+\n$/.test(line)).length }).toEqual({
    steps: ['storage', 'database', 'storage', 'log 0/1', 'database'],
    opened: 2,
  });
});

test('another instance is waited for, and what is lost is told, until it is there again', async () => {
  const replicationStreamId = `${options.replicationStreamId}_d`;
  const first = await startService({ ...options, replicationStreamId });
  await untilActive(first);
  const second = await startService({ ...options, replicationStreamId });
  const told: string[] = [];
  const turns = new Turns();
  for (const name of ['starting', 'waiting', 'active'] as const) {
    second.on(name, ({ level }) => {
      told.push(level);
      turns.next(level);
    });
  }
  if (second.status().level !== 'waiting') await turns.until('waiting');
  const cause = await second.cause();

  await first.stop();
  await turns.until('active');
  const slot = `electric_slot_${replicationStreamId}`;
  await database.query(`SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '${slot}'`);
  await turns.until('active');
  await second.stop();

  // That it waits may have been told before anybody could listen.
  expect({ told: told[0] === 'waiting' ? told.slice(1) : told, cause }).toEqual({
    told: ['starting', 'active', 'starting', 'active'],
    cause: expect.stringMatching(/^another instance holds the lock of electric_slot_/),
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

test('what a fixed filter fails over is told without the words of Postgres', async () => {
  const failing = service.fetchHandler({ authorize: () => ({ table: 'owners', where: '10 / (id - 1) > 0' }) });
  const open = service.fetchHandler({ authorize: () => ({}) });
  const address = 'http://app.example/shape?table=owners&offset=-1';

  const answers = [
    await failing(new Request(address)), await open(new Request(`${address}&where=${encodeURIComponent('10 / (id - 1) > 0')}`)),
  ];

  const told = answers.map(async (answer) => [answer.status, ((await answer.json()) as { errors: unknown }).errors]);
  expect(await Promise.all(told)).toEqual([[400, { where: ['has an error in a row'] }], [400, { where: ['division by zero'] }]]);
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
