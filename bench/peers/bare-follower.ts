/**
 * The least that a service could do for one commit: read it from a slot, make it durable, and answer whoever waits for it.
 *
 *   node … URL SLOT PUBLICATION FILE     says `{ port }`; whoever asks there waits for the next commit, with `live_sse` for all
 */
import { fdatasync, openSync, write } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import pg from 'pg';

const [, , databaseUrl = '', slot = '', publication = '', file = ''] = process.argv;
const [XLOG_DATA, KEEPALIVE, COMMIT, INSERT] = [0x77, 0x6b, 0x43, 0x49];
const HEADER_BYTES = 25;
const REPLY_ASKED_AT = 17;

const log = openSync(file, 'a');
const written = promisify(write);
const synced = promisify(fdatasync);
const polls: ServerResponse[] = [];
const streams = new Set<ServerResponse>();
let inserted: Buffer = Buffer.alloc(0);
let held = 0n;
let taken: Promise<void> = Promise.resolve();

/** Copies both ways, which `pg` has no words for. */
interface CopyConnection extends pg.Connection {
  sendCopyFromChunk(chunk: Buffer): void;
}

const client = new pg.Client({ connectionString: databaseUrl, replication: 'database' } as pg.ClientConfig);
await client.connect();
const connection = (client as unknown as { connection: CopyConnection }).connection;
client.query({
  submit: (to: pg.Connection) => {
    to.query(`START_REPLICATION SLOT ${slot} LOGICAL 0/0 (proto_version '1', publication_names '${publication}')`);
  },
  handleCopyData: ({ chunk }: { chunk: Buffer }) => take(chunk),
  handleError: (error: Error) => {
    throw error;
  },
} as unknown as pg.Submittable);

const server = createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  if (request.url?.includes('live_sse=true') !== true) return void polls.push(response);
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders();
  streams.add(response);
  response.on('close', () => streams.delete(response));
});
server.listen(0, '127.0.0.1', () => process.send?.({ ready: 1, port: (server.address() as AddressInfo).port }));

function take(chunk: Buffer): void {
  if (chunk[0] === KEEPALIVE && chunk[REPLY_ASKED_AT] === 1) connection.sendCopyFromChunk(statusOf(held));
  if (chunk[0] !== XLOG_DATA) return;
  const kind = chunk[HEADER_BYTES];
  if (kind === INSERT) inserted = chunk.subarray(HEADER_BYTES);
  if (kind !== COMMIT) return;
  const [row, end] = [inserted, chunk.readBigUInt64BE(1)];
  taken = taken.then(() => settle(row, end));
}

async function settle(row: Buffer, end: bigint): Promise<void> {
  await written(log, row);
  await synced(log);
  const body = JSON.stringify([{ value: row.toString('latin1').replace(/[^ -~]/g, '.') }]);
  for (const response of polls.splice(0)) {
    response.writeHead(200, { 'content-type': 'application/json', 'electric-offset': '0_0', 'content-length': body.length }).end(body);
  }
  for (const response of streams) response.write(`data: ${body}\n\n`);
  held = end;
  connection.sendCopyFromChunk(statusOf(held));
}

/** That all up to `end` is held. */
function statusOf(end: bigint): Buffer {
  const status = Buffer.alloc(34);
  status.write('r');
  for (const at of [1, 9, 17]) status.writeBigUInt64BE(end, at);
  return status;
}
