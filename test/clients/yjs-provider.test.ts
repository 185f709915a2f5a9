/** Documents of Yjs that are kept in step by a table of their updates, as y-electric does it: all of them come to be the same. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ElectricProvider, parseToDecoder, type ElectricProviderOptions, type ResumeState } from '@electric-sql/y-electric';
import { Awareness } from 'y-protocols/awareness';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import * as Y from 'yjs';
import { createDatabase, type TestDatabase } from '../support/postgres/postgres.ts';
import { startServiceInProcess, type ServiceInProcess } from '../support/service/service.ts';

type Options = ElectricProviderOptions<UpdateRow, UpdateRow>;
type UpdateRow = { op: ReturnType<(typeof parseToDecoder)['bytea']> };

let database: TestDatabase;
let service: ServiceInProcess;
let writer: Server;
let writeUrl: string;
let open: { provider: ElectricProvider<UpdateRow, UpdateRow>; awareness: Awareness; doc: Y.Doc }[] = [];

beforeAll(async () => {
  database = await createDatabase();
  await database.query(`
    CREATE TABLE updates (id serial PRIMARY KEY, room text NOT NULL, op bytea NOT NULL);
    CREATE TABLE presence (client text, room text, op bytea NOT NULL, PRIMARY KEY (client, room))`);
  service = await startServiceInProcess({ databaseUrl: database.url });
  writer = createServer((request, response) => {
    void write(request).then(() => response.end());
  });
  writer.listen(0, '127.0.0.1');
  await once(writer, 'listening');
  writeUrl = `http://127.0.0.1:${(writer.address() as AddressInfo).port}`;
});

afterAll(async () => {
  writer.close();
  writer.closeAllConnections();
  await service.remove();
  await database.drop();
});

afterEach(() => {
  for (const { provider, awareness, doc } of open) {
    provider.destroy();
    awareness.destroy();
    doc.destroy();
  }
  open = [];
});

/** The endpoint that an application has: it stores what a provider sends. */
async function write(request: IncomingMessage): Promise<void> {
  const { searchParams } = new URL(request.url ?? '', writeUrl);
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const [room, client, op] = [searchParams.get('room'), searchParams.get('client'), Buffer.concat(pieces)];
  const session = await database.session();
  if (client === null) await session.query('INSERT INTO updates (room, op) VALUES ($1, $2)', [room, op]);
  else await session.query('INSERT INTO presence VALUES ($1, $2, $3) ON CONFLICT (client, room) DO UPDATE SET op = $3', [client, room, op]);
  await session.end();
}

/** One who edits a document of the room. */
function join(room: string, doc = new Y.Doc(), resumeState?: ResumeState) {
  const awareness = new Awareness(doc);
  const following = (table: string) => ({
    shape: { url: service.shapeUrl, params: { table, where: 'room = $1', params: [room] }, parser: parseToDecoder },
    getUpdateFromRow: ({ op }: UpdateRow) => op,
  });
  const options: Options = {
    doc,
    documentUpdates: { ...following('updates'), sendUrl: `${writeUrl}?room=${room}` },
    awarenessUpdates: { ...following('presence'), sendUrl: `${writeUrl}?room=${room}&client=${doc.clientID}`, protocol: awareness },
    ...(resumeState === undefined ? {} : { resumeState }),
  };
  const joined = { provider: new ElectricProvider<UpdateRow, UpdateRow>(options), awareness, doc, text: doc.getText('text') };
  open.push(joined);
  return joined;
}

const untilSynced = ({ provider }: ReturnType<typeof join>) => expect.poll(() => provider.synced && provider.connected).toBe(true);

test('two who write at once come to the same text, and so does one who joins later', async () => {
  const [left, right] = [join('both'), join('both')];
  await Promise.all([left, right].map(untilSynced));
  for (let count = 0; count < 10; count += 1) {
    left.text.insert(0, `l${count} `);
    right.text.insert(right.text.length, `r${count} `);
  }
  await expect.poll(() => [left, right].map(({ text }) => text.length)).toEqual([60, 60]);
  const late = join('both');
  await expect.poll(() => late.text.length).toBe(60);

  expect([right, late].map(({ text }) => text.toString())).toEqual([left, left].map(({ text }) => text.toString()));
});

test('what was written while away is sent when one comes back, and the rest is read from where one was', async () => {
  const [away, other] = [join('away'), join('away')];
  await Promise.all([away, other].map(untilSynced));
  away.text.insert(0, 'before ');
  await expect.poll(() => other.text.toString()).toBe('before ');
  away.provider.disconnect();
  away.text.insert(away.text.length, 'mine ');
  other.text.insert(0, 'theirs ');
  away.provider.connect();

  await expect.poll(() => [away, other].map(({ text }) => text.toString())).toEqual(['theirs before mine ', 'theirs before mine ']);
});

test('who is there is told to those who are there', async () => {
  const [left, right] = [join('presence'), join('presence')];
  await Promise.all([left, right].map(untilSynced));
  left.awareness.setLocalStateField('name', 'left');
  left.awareness.emit('update', [{ added: [], updated: [left.doc.clientID], removed: [] }, 'local']);

  await expect.poll(() => right.awareness.getStates().get(left.doc.clientID)).toEqual({ name: 'left' });
});
