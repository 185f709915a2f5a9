/**
 * One client on a socket that is kept: it asks, and takes the answer apart no further than it must. A library would use more of the
 * processor than the service that is measured.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { invariant } from '../../src/base/invariant.ts';

const NOTHING: Buffer = Buffer.alloc(0);
const HEAD_END = Buffer.from('\r\n\r\n');
/** Of a chunked answer. JSON has no line breaks of its own, so nothing of its inside looks like that. */
const LAST_CHUNK = Buffer.from('\r\n0\r\n\r\n');

export interface RawAnswer {
  readonly status: number;
  /** The status line and the headers, as they came. */
  readonly head: string;
  /** As it came: chunked where the answer was. */
  readonly body: Buffer;
}

export class RawConnection {
  private received = NOTHING;
  private settle: { readonly done: (answer: RawAnswer) => void; readonly failed: (error: Error) => void } | undefined;
  private constructor(private readonly socket: Socket) {
    socket.on('data', (part) => this.take(part));
    socket.on('error', (error) => this.settle?.failed(error));
    socket.on('close', () => this.settle?.failed(new Error('the service has closed the connection of a client')));
  }

  static async open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url);
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    await once(socket, 'connect');
    return new RawConnection(socket);
  }

  /** One at a time. */
  get(path: string): Promise<RawAnswer> {
    invariant(this.settle === undefined, 'a client asks when it has its answer');
    return new Promise((done, failed) => {
      this.settle = { done, failed };
      this.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
    });
  }

  /** Asks for a stream, whose parts go to `heard` as they come; resolves with its head. */
  stream(path: string, heard: (part: Buffer) => void): Promise<string> {
    this.socket.removeAllListeners('data');
    return new Promise((opened) => {
      let head = Buffer.alloc(0);
      const takeHead = (part: Buffer): void => {
        head = Buffer.concat([head, part]);
        const end = head.indexOf(HEAD_END);
        if (end < 0) return;
        this.socket.off('data', takeHead).on('data', heard);
        opened(head.toString('latin1', 0, end));
        if (head.length > end + HEAD_END.length) heard(head.subarray(end + HEAD_END.length));
      };
      this.socket.on('data', takeHead);
      this.socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n`);
    });
  }

  close(): void {
    this.settle = undefined;
    this.socket.destroy();
  }

  private take(part: Buffer): void {
    this.received = this.received.length === 0 ? part : Buffer.concat([this.received, part]); // Answers are small: mostly it is one part.
    const headEnd = this.received.indexOf(HEAD_END);
    if (headEnd < 0 || this.settle === undefined) return;
    const head = this.received.toString('latin1', 0, headEnd);
    const body = this.received.subarray(headEnd + HEAD_END.length);
    if (!isWhole(head, body)) return;
    const { done } = this.settle;
    this.settle = undefined;
    this.received = NOTHING;
    done({ status: Number(head.slice('HTTP/1.1 '.length, 'HTTP/1.1 200'.length)), head, body });
  }
}

function isWhole(head: string, body: Buffer): boolean {
  const length = headerOf(head, 'content-length');
  if (length !== undefined) return body.length >= Number(length);
  return body.subarray(-LAST_CHUNK.length).equals(LAST_CHUNK);
}

/** @param name in lower case, as the service writes its own. */
export function headerOf(head: string, name: string): string | undefined {
  const at = head.toLowerCase().indexOf(`\r\n${name}: `);
  if (at < 0) return undefined;
  const from = at + name.length + '\r\n: '.length;
  const end = head.indexOf('\r\n', from);
  return head.slice(from, end < 0 ? undefined : end);
}

/** Names and values in turn, but those that a server writes by itself. */
export function ownHeadersOf(head: string): readonly string[] {
  const [, ...lines] = head.split('\r\n');
  const pairs = lines.map((line) => [line.slice(0, line.indexOf(': ')), line.slice(line.indexOf(': ') + 2)] as const);
  return pairs.filter(([name]) => !/^(?:date|connection|keep-alive|transfer-encoding)$/i.test(name)).flat();
}
