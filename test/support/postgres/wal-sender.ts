/**
 * A walsender on a TCP port, with one slot and one table: what Postgres's manual says of streaming replication, and nothing
 * else of Postgres. It sends transactions in the order of their commits; those whose commit record the slot has not
 * confirmed it sends again on every connection. A test decides what Postgres decides for itself: how far a transaction has
 * been sent, and when a keepalive comes, which says where the WAL ends by then.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import pg from 'pg';
import { invariant } from '../../../src/base/invariant.ts';
import * as messages from './pgoutput-messages.ts';

/** What a client has told of itself. */
export interface Status {
  readonly written: bigint;
  readonly flushed: bigint;
  readonly isReplyAsked: boolean;
}

interface Transaction {
  readonly lsn: bigint;
  readonly messages: readonly Uint8Array[];
}

const OID = 70_000;
const WAL_START = 1000n;
const RECORD_BYTES = 100n;
const XLOG_HEADER = Buffer.from('w'.padEnd(25, '\0'));

export class WalSender {
  readonly statuses: Status[] = [];
  /** The client has said farewell: it ended the copy, then the connection. */
  farewells = 0;
  walEnd = WAL_START;
  /** It does not answer the start of a stream. */
  isMute = false;
  /** The SQLSTATE with which the start of a stream is refused. */
  refusesStart: string | undefined;
  private confirmed = WAL_START;
  private readonly transactions: Transaction[] = [];
  private readonly server: Server;
  private streaming: Streaming | undefined;
  private watchers: (() => void)[] = [];

  private constructor(server: Server) {
    this.server = server;
  }

  static async listen(): Promise<WalSender> {
    const server = createServer();
    const sender = new WalSender(server);
    server.on('connection', (socket) => sender.serve(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return sender;
  }

  /** What the slot has confirmed. */
  get confirmedLsn(): bigint {
    return this.confirmed;
  }

  async connect(): Promise<pg.Client> {
    const { port } = this.server.address() as AddressInfo;
    const client = new pg.Client({ host: '127.0.0.1', port, user: 'anyone' });
    client.on('error', () => {});
    await client.connect();
    return client;
  }

  /** A transaction that inserts these rows. @param unsent how many of its last messages wait for `sendRest`. */
  commit(rows: readonly string[], unsent = 0): bigint {
    const lsn = this.walEnd;
    this.walEnd += RECORD_BYTES;
    const inserts = rows.map((row) => messages.insert(OID, [row]));
    this.transactions.push({ lsn, messages: [messages.begin(lsn, 7), ...inserts, messages.commit(lsn, this.walEnd)] });
    this.streaming?.send(this.transactions, unsent);
    return lsn;
  }

  sendRest(): void {
    this.streaming?.send(this.transactions, 0);
  }

  /** The WAL grows by something that is not for us. */
  grow(): void {
    this.walEnd += RECORD_BYTES;
  }

  keepalive(isReplyAsked = false): void {
    const body = Buffer.alloc(18);
    body.write('k', 0, 'latin1');
    body.writeBigUInt64BE(this.walEnd, 1);
    body.writeUInt8(isReplyAsked ? 1 : 0, 17);
    this.send(['d', body]);
  }

  /** Any messages of the server, well formed or not, in one piece. */
  send(...messagesOfServer: readonly (readonly [type: string, body: Uint8Array])[]): void {
    invariant(this.streaming !== undefined, 'a client has started the stream');
    this.streaming.socket.write(Buffer.concat(messagesOfServer.map(([type, body]) => framed(type, body))));
  }

  breakConnection(): void {
    this.streaming?.socket.resetAndDestroy();
  }

  /** Resolves as soon as `claim` holds; a test's own time-out bounds it. */
  async until(claim: (sender: this) => boolean): Promise<void> {
    while (!claim(this)) await new Promise<void>((done) => this.watchers.push(done));
  }

  async close(): Promise<void> {
    this.streaming?.socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  private serve(socket: Socket): void {
    let unread: Buffer = Buffer.alloc(0);
    let hasStarted = false;
    socket.on('error', () => {}); // Its close says enough.
    socket.on('data', (chunk) => {
      unread = Buffer.concat([unread, chunk]);
      if (!hasStarted && unread.length >= 4) {
        hasStarted = true;
        unread = unread.subarray(unread.readUInt32BE(0));
        socket.write(Buffer.concat([framed('R', Buffer.alloc(4)), framed('Z', Buffer.from('I'))]));
      }
      while (unread.length >= 5 && unread.length >= 1 + unread.readUInt32BE(1)) {
        const end = 1 + unread.readUInt32BE(1);
        this.take(socket, unread.toString('latin1', 0, 1), unread.subarray(5, end));
        unread = unread.subarray(end);
      }
      this.watchers.splice(0).forEach((watcher) => watcher());
    });
  }

  private take(socket: Socket, type: string, body: Buffer): void {
    if (this.isMute) return;
    if (type === 'Q' && this.refusesStart !== undefined) {
      socket.write(framed('E', refusalBody(this.refusesStart)));
    } else if (type === 'Q') {
      socket.write(framed('W', Buffer.from([0, 0, 0])));
      this.streaming = new Streaming(socket, this.confirmed);
      this.streaming.send(this.transactions, 0);
    } else if (type === 'd') {
      const status = { written: body.readBigUInt64BE(1), flushed: body.readBigUInt64BE(9), isReplyAsked: body[33] === 1 };
      this.statuses.push(status);
      if (status.flushed > this.confirmed) this.confirmed = status.flushed;
    } else if (type === 'c') {
      this.farewells += 1;
    } else if (type === 'X') {
      socket.end();
    }
  }
}

/** One connection on which the stream was started. */
class Streaming {
  private hasDescribed = false;
  /** Messages of the transactions from here on, in order. */
  private sent = 0;

  constructor(
    readonly socket: Socket,
    private readonly from: bigint,
  ) {}

  send(transactions: readonly Transaction[], unsent: number): void {
    const wanted = transactions.filter(({ lsn }) => lsn >= this.from).flatMap((transaction) => transaction.messages);
    const due = wanted.slice(this.sent, wanted.length - unsent);
    this.sent = Math.max(this.sent, wanted.length - unsent);
    if (due.length === 0) return;
    const described = this.hasDescribed ? [] : [messages.relation({ oid: OID, name: 'items', columns: ['text'] })];
    this.hasDescribed = true;
    this.socket.write(Buffer.concat([...described, ...due].map((message) => framed('d', Buffer.concat([XLOG_HEADER, message])))));
  }
}

/** The body of an ErrorResponse. */
export function refusalBody(state: string, message = 'no'): Buffer {
  return Buffer.from(`C${state}\0M${message}\0Dthe detail\0\0`);
}

function framed(type: string, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.write(type, 0, 'latin1');
  header.writeUInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}
