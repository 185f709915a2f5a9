/** Reads one shape as a client does, and counts its rows in the bytes: parsing them would measure us, not the service. */
import { Agent, get, type IncomingMessage } from 'node:http';
import { invariant } from '../src/base/invariant.ts';
import type { Place } from './clients/crowd.ts';

const ROW_MARK = Buffer.from('"operation":"insert"');
const VALUE_MARK = '"value":';
/** Behind the last value: its headers, and the control message. */
const TAIL_BYTES = 16 * 1024;

export interface ShapeReaderOptions {
  /** Rows are not counted: where a reader that counts would be slower than what it reads. */
  readonly isHasty?: boolean;
}

export class ShapeReader {
  rows = 0;
  bytes = 0;
  private readonly url: string;
  private readonly params: Readonly<Record<string, string>>;
  private readonly isHasty: boolean;
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 1 });
  private handle: string | undefined;
  private offset = '-1';
  private tail = '';

  /** @param params what defines the shape. */
  constructor(serviceUrl: string, params: Readonly<Record<string, string>>, { isHasty = false }: ShapeReaderOptions = {}) {
    this.url = serviceUrl;
    this.params = params;
    this.isHasty = isHasty;
  }

  /** Where it stands. */
  get place(): Place {
    invariant(this.handle !== undefined, 'a reader that has read has a handle');
    return { url: this.url, query: new URLSearchParams(this.params).toString(), handle: this.handle, offset: this.offset };
  }

  /** Of the last operation that it has read; undefined where there was none. */
  get lastValue(): unknown {
    const at = this.tail.lastIndexOf(VALUE_MARK);
    if (at < 0) return undefined;
    return JSON.parse(this.tail.slice(at + VALUE_MARK.length, this.tail.indexOf('},"headers"', at) + 1));
  }

  /** Reads on until the service says that there is no more. */
  async readToEnd(): Promise<void> {
    while (!(await this.request(false)).upToDate);
  }

  /** Follows the live shape until it has given `rows` rows in all. */
  async readRows(rows: number): Promise<void> {
    while (this.rows < rows) await this.request(this.handle !== undefined);
  }

  /** Follows the live shape until an answer holds `text`. */
  async readText(text: string): Promise<void> {
    while (!(await this.request(true)).body.includes(text));
  }

  /** Its connection is not used any more: what it reads behind this has a new one. */
  close(): void {
    this.agent.destroy();
  }

  /** `upToDate`: the answer ended at the end of the log. */
  private async request(live: boolean): Promise<{ upToDate: boolean; body: Buffer }> {
    const query = new URLSearchParams({ ...this.params, offset: this.offset });
    if (this.handle !== undefined) query.set('handle', this.handle);
    if (live) query.set('live', 'true');
    const { status, headers, body } = await answerOf(`${this.url}/v1/shape?${query.toString()}`, this.agent);
    invariant(status === 200, `the service answers a reader with 200, not ${status}: ${body.toString().slice(0, 300)}`);
    this.handle = textOf(headers['electric-handle']);
    this.offset = textOf(headers['electric-offset']) ?? this.offset;
    this.note(body);
    return { upToDate: headers['electric-up-to-date'] !== undefined, body };
  }

  private note(body: Buffer): void {
    this.bytes += body.length;
    if (!this.isHasty) this.rows += occurrences(body, ROW_MARK);
    const tail = body.toString('utf8', Math.max(0, body.length - TAIL_BYTES));
    if (tail.includes(VALUE_MARK)) this.tail = tail;
  }
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

/** @throws what ended the connection before the answer was whole. */
export function answerOf(url: string, agent: Agent): Promise<Answer> {
  return new Promise((done, failed) => {
    get(url, { agent }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
      response.on('error', failed);
    }).on('error', failed);
  });
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

function occurrences(body: Buffer, mark: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) count += 1;
  return count;
}
