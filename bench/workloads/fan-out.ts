/** One change that thousands wait for, each on a connection of its own. */
import { invariant } from '../../src/base/invariant.ts';
import { systemClock } from '../../src/base/clock.ts';
import { Crowd, type Place, type WayToWait } from '../clients/crowd.ts';
import { ownHeadersOf, RawConnection } from '../clients/raw-connection.ts';
import type { Database } from '../database.ts';
import type { Peer } from '../peers/peer.ts';
import type { Service } from '../service.ts';
import { ShapeReader } from '../shape-reader.ts';
import { timesLimitMax, type Round, type Workload } from '../suite/workload.ts';
import type { World } from '../suite/world.ts';
import { comeToRest, type Spent } from '../timing.ts';

export const fanOutLongPoll = fanOutOf('long-poll');
export const fanOutSse = fanOutOf('sse');

function fanOutOf(way: WayToWait): Workload {
  return {
    name: `fan-out-${way}`,
    sentence: `one commit to a shape that very many clients wait for by ${way}, until the last of them has it`,
    size: 5_000,
    unit: 'clients',
    limit: 'a bare node:http that writes the same headers and bytes to as many',
    targets: { 'until the last has it': timesLimitMax(1.1) },
    measure: (world, size) => measure(world, size, way),
  };
}

async function* measure(world: World, clients: number, way: WayToWait): AsyncGenerator<Round, void, void> {
  const { database } = world;
  const table = `fan_out_${way.replace('-', '_')}`;
  await database.query(`CREATE TABLE ${table} (id int PRIMARY KEY, body text NOT NULL); INSERT INTO ${table} VALUES (0, 'the first')`);
  const service = await world.service();
  const server = await world.peer('bare-server');
  const bare = `http://127.0.0.1:${server.ready['port']}`;
  for (let round = 1; ; round += 1) {
    const reader = new ShapeReader(service.url, { table });
    await reader.readToEnd();
    const { place } = reader;
    const told = await sampleOf({ database, table, place, way, id: 2 * round });
    server.tell({ headers: told.headers });
    await server.next();
    const limit = await spentOn(server, { ...place, url: bare }, bareChangeOf(server, told, { clients, way }));
    await reader.readToEnd();
    const text = `round ${round}`;
    const change = (): Promise<unknown> => database.query(`INSERT INTO ${table} VALUES (${2 * round + 1}, '${text}')`);
    const ours = await spentOn(service, reader.place, { clients, way, text, change });
    reader.close();
    yield [
      { what: 'until the last has it', unit: 'ms', measured: ours.elapsedMs, limit: limit.elapsedMs },
      { what: 'CPU per client', unit: 'µs', measured: ours.cpuMicros / clients, limit: limit.cpuMicros / clients },
    ];
  }
}

interface Sampled {
  readonly database: Database;
  readonly table: string;
  readonly place: Place;
  readonly way: WayToWait;
  readonly id: number;
}

/** What a client is told, byte by byte. */
interface Told {
  readonly text: string;
  readonly headers: readonly string[];
  readonly body: string;
}

/** Of the service, by one client that waits as the many will. */
async function sampleOf({ database, table, place, way, id }: Sampled): Promise<Told> {
  const connection = await RawConnection.open(place.url);
  const text = `sample ${id}`;
  const path = `/v1/shape?${place.query}&handle=${place.handle}&offset=${place.offset}&live=true`;
  const insert = (): Promise<unknown> => database.query(`INSERT INTO ${table} VALUES (${id}, '${text}')`);
  try {
    if (way === 'sse') return { text, ...(await sampleOfStream(connection, path, insert)) };
    const [{ head, body }] = await Promise.all([connection.get(path), insert()]);
    invariant(body.includes(text), `a client that waits is told of the change: ${body.toString()}`);
    return { text, headers: ownHeadersOf(head), body: body.toString() };
  } finally {
    connection.close();
  }
}

async function sampleOfStream(connection: RawConnection, path: string, insert: () => Promise<unknown>): Promise<Omit<Told, 'text'>> {
  let heard = '';
  let isWhole = (): void => {};
  const whole = new Promise<void>((done) => (isWhole = done));
  const head = await connection.stream(`${path}&live_sse=true`, (part) => {
    heard += part.toString('latin1');
    if (heard.includes('"insert"') && heard.indexOf('"up-to-date"', heard.indexOf('"insert"')) > 0) isWhole();
  });
  await insert();
  await whole;
  const body = heard.replace(/(?:^|\r\n)[0-9a-f]+\r\n|\r\n$/g, ''); // Without the frames of its chunks, which the bare server makes anew.
  return { headers: ownHeadersOf(head), body };
}

interface Change {
  readonly clients: number;
  readonly way: WayToWait;
  /** What each of them is told. */
  readonly text: string;
  readonly change: () => Promise<unknown>;
  /** Resolves when all of them wait; left out of a service, which tells late ones too. */
  readonly begin?: () => Promise<unknown>;
}

/** From the end of `change` on: of a commit, from its acknowledgement. */
async function spentOn(process: Service | Peer, place: Place, { clients, way, text, change, begin }: Change): Promise<Spent> {
  const crowd = new Crowd(place, way);
  try {
    await crowd.grow(clients);
    await begin?.();
    await comeToRest(process);
    const before = process.usage().cpuMicros;
    const changed = (): Promise<number> => change().then(() => systemClock.nowMs());
    const [toldMs, changedMs] = await Promise.all([crowd.told(text), changed()]);
    return { elapsedMs: toldMs - changedMs, cpuMicros: process.usage().cpuMicros - before };
  } finally {
    crowd.close();
  }
}

function bareChangeOf(server: Peer, told: Told, crowd: Pick<Change, 'clients' | 'way'>): Change {
  const begin = async (): Promise<void> => {
    server.tell({ until: crowd.clients });
    await server.next();
  };
  return { ...crowd, text: told.text, begin, change: () => tellBare(server, told) };
}

/** At once: a promise, as a commit is one. */
function tellBare(server: Peer, { headers, body }: Told): Promise<void> {
  server.tell({ answer: body, headers });
  return Promise.resolve();
}
