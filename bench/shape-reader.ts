/** Reads one shape as a client does, and counts its rows in the bytes: parsing them would measure us, not the service. */
import { invariant } from '../src/base/invariant.ts';

const ROW_MARK = Buffer.from('"operation":"insert"');

export class ShapeReader {
  rows = 0;
  bytes = 0;
  private readonly url: string;
  private readonly params: Readonly<Record<string, string>>;
  private handle: string | undefined;
  private offset = '-1';

  /** @param params what defines the shape. */
  constructor(serviceUrl: string, params: Readonly<Record<string, string>>) {
    this.url = serviceUrl;
    this.params = params;
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

  /** `upToDate`: the answer ended at the end of the log. */
  private async request(live: boolean): Promise<{ upToDate: boolean; body: Buffer }> {
    const query = new URLSearchParams({ ...this.params, offset: this.offset });
    if (this.handle !== undefined) query.set('handle', this.handle);
    if (live) query.set('live', 'true');
    const response = await fetch(`${this.url}/v1/shape?${query.toString()}`);
    const body = Buffer.from(await response.arrayBuffer());
    invariant(response.status === 200, `the service answers a reader with 200, not ${response.status}: ${body.toString().slice(0, 300)}`);
    this.handle = response.headers.get('electric-handle') ?? undefined;
    this.offset = response.headers.get('electric-offset') ?? this.offset;
    this.bytes += body.length;
    this.rows += occurrences(body, ROW_MARK);
    return { upToDate: response.headers.has('electric-up-to-date'), body };
  }
}

function occurrences(body: Buffer, mark: Buffer): number {
  let count = 0;
  for (let at = body.indexOf(mark); at >= 0; at = body.indexOf(mark, at + mark.length)) count += 1;
  return count;
}
