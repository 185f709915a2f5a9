/** A chunk that never changes, asked for again and again, as a cache in front that has lost it would. */
import { invariant } from '../../src/base/invariant.ts';
import { askAll } from '../clients/ask-all.ts';
import { headerOf, ownHeadersOf, RawConnection, type RawAnswer } from '../clients/raw-connection.ts';
import { createTable, writeRows } from '../database.ts';
import type { Peer } from '../peers/peer.ts';
import { ShapeReader } from '../shape-reader.ts';
import type { Service } from '../service.ts';
import { timesLimitMin, type Workload } from '../suite/workload.ts';
import { spentDuring, type Spent } from '../timing.ts';

const TABLE = 'chunked_rows';
const CHUNK_BYTES = 10_000;
const ROWS = 200;

export const chunkGets: Workload = {
  name: 'chunk-gets',
  sentence: 'GETs of one chunk of 10 kB of a log, by 32 clients on connections that are kept',
  size: 50_000,
  unit: 'requests',
  limit: 'a bare node:http that answers with the same headers and bytes',
  targets: { 'requests per second': timesLimitMin(0.8) },
  async *measure(world, requests) {
    const { database } = world;
    await createTable(database, TABLE);
    const service = await world.service({ ARMATURE_SHAPE_CHUNK_BYTES_THRESHOLD: String(CHUNK_BYTES) });
    const reader = new ShapeReader(service.url, { table: TABLE });
    await reader.readToEnd();
    const { query, handle, offset } = reader.place;
    await writeRows(database, TABLE, ROWS, 1);
    await reader.readRows(ROWS);
    const path = `/v1/shape?${query}&handle=${handle}&offset=${offset}`;
    const expected = await chunkAt(service.url, path);
    const server = await world.peer('bare-server');
    const body = dechunked(expected);
    server.tell({ same: body, headers: [...ownHeadersOf(expected.head), 'content-length', String(body.length)] });
    await server.next();
    for (;;) {
      const limit = await spentOn(server, `http://127.0.0.1:${server.ready['port']}`, { path: '/same', requests, body });
      const ours = await spentOn(service, service.url, { path, requests, body });
      const perSecond = ({ elapsedMs }: Spent): number => (requests / elapsedMs) * 1000;
      const each = ({ cpuMicros }: Spent): number => cpuMicros / requests;
      yield [
        { what: 'requests per second', unit: '/s', measured: perSecond(ours), limit: perSecond(limit) },
        { what: 'CPU per request', unit: 'µs', measured: each(ours), limit: each(limit) },
      ];
    }
  },
};

/** Of a whole chunk, behind which there is more. */
async function chunkAt(url: string, path: string): Promise<RawAnswer> {
  const connection = await RawConnection.open(url);
  const answer = await connection.get(path);
  connection.close();
  const isWhole = headerOf(answer.head, 'electric-up-to-date') === undefined && answer.body.length >= CHUNK_BYTES / 2;
  invariant(answer.status === 200 && isWhole, `the log has a chunk of its own there: ${answer.head}`);
  return answer;
}

/** Without the frames of HTTP, which are none of the bytes that somebody has asked for. */
function dechunked({ head, body }: RawAnswer): string {
  if (headerOf(head, 'content-length') !== undefined) return body.toString();
  const parts: Buffer[] = [];
  for (let at = 0; ; ) {
    const lineEnd = body.indexOf('\r\n', at);
    const length = Number.parseInt(body.toString('latin1', at, lineEnd), 16);
    if (length === 0) return Buffer.concat(parts).toString();
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + length));
    at = lineEnd + 2 + length + 2;
  }
}

interface Asked {
  readonly path: string;
  readonly requests: number;
  readonly body: string;
}

async function spentOn(process: Service | Peer, url: string, { path, requests, body }: Asked): Promise<Spent> {
  const paths = Array.from({ length: requests }, () => path);
  return await spentDuring(process, async () => {
    await askAll(url, paths, (answer) => {
      invariant(answer.status === 200 && answer.body.length >= body.length, `each gets the whole chunk: ${answer.head}`);
    });
    const last = await chunkAt(url, path);
    invariant(dechunked(last) === body, 'a chunk never changes');
  });
}
