/**
 * A client that follows a shape by the letter of the protocol, and is stricter than any real one: an insert of a row
 * it has, an update or delete of one it has not, a gap in the offsets, or different bytes at an offset it has seen
 * before are errors.
 */
export interface ShapeMessage {
  readonly key?: string;
  readonly value?: Readonly<Record<string, string | null>>;
  readonly old_value?: Readonly<Record<string, string | null>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface ShapeResponse {
  readonly status: number;
  readonly handle: string | null;
  readonly offset: string | null;
  readonly cursor: string;
  readonly upToDate: boolean;
  readonly text: string;
  readonly messages: readonly ShapeMessage[];
}

/** One request, read whole. */
export async function readShape(
  shapeUrl: string,
  params: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<ShapeResponse> {
  const url = new URL(shapeUrl);
  for (const [name, value] of Object.entries(params)) url.searchParams.set(name, value);
  const response = await fetch(url, signal === undefined ? {} : { signal });
  const text = await response.text();
  return {
    status: response.status,
    handle: response.headers.get('electric-handle'),
    offset: response.headers.get('electric-offset'),
    cursor: response.headers.get('electric-cursor') ?? '',
    upToDate: response.headers.has('electric-up-to-date'),
    text,
    messages: text.startsWith('[') ? (JSON.parse(text) as ShapeMessage[]) : [],
  };
}

export class ShapeFollower {
  readonly rows = new Map<string, Readonly<Record<string, string | null>>>();
  handle: string | undefined;
  offset = '-1';
  /** How often the shape had to be fetched anew. */
  refetches = 0;
  /** By requested offset, of the current handle: what was served, without the message that it was up to date. */
  readonly served = new Map<string, string>();
  private cursor = '';

  constructor(
    private readonly shapeUrl: string,
    private readonly params: Readonly<Record<string, string>>,
  ) {}

  /** Reads on until the answer is up to date, without waiting for anything new. */
  async catchUp(): Promise<this> {
    while (!(await this.step({}))) {
      // The next piece.
    }
    return this;
  }

  /** One live request: waits for news, at most as long as the service does. */
  async poll(signal?: AbortSignal): Promise<boolean> {
    return await this.step({ live: 'true', cursor: this.cursor }, signal);
  }

  /** The rows in the order of their keys, for comparison. */
  sorted(): Readonly<Record<string, string | null>>[] {
    return [...this.rows].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, row]) => row);
  }

  private async step(extra: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<boolean> {
    const handle = this.handle === undefined ? {} : { handle: this.handle };
    const requested = this.offset;
    const response = await this.read({ offset: requested, ...handle, ...extra }, signal);
    if (response.status === 409) return this.refetch(response);
    if (response.status !== 200 || response.handle === null || response.offset === null) {
      throw new Error(`status ${response.status} at ${requested}: ${response.text}`);
    }
    this.remember(requested, response.text);
    for (const message of response.messages) this.take(message);
    this.handle = response.handle;
    this.offset = response.offset;
    this.cursor = response.cursor;
    return response.upToDate;
  }

  /** As clients do, a follower asks again while its shape has yet to come as far as it has been. */
  private async read(params: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<ShapeResponse> {
    for (;;) {
      const response = await readShape(this.shapeUrl, { ...this.params, ...params }, signal);
      if (response.status !== 503 || !response.text.includes('still taking transactions')) return response;
    }
  }

  private refetch({ handle }: ShapeResponse): boolean {
    this.refetches += 1;
    this.rows.clear();
    this.served.clear();
    this.offset = '-1';
    this.handle = handle ?? undefined;
    return false;
  }

  /**
   * Asks again for what was served, from each offset or from the `latest` ones.
   *
   * @throws when something is served otherwise now, or under another handle.
   */
  async verifyServed(latest = this.served.size): Promise<number> {
    for (const [offset, before] of [...this.served].slice(-latest)) {
      const handle = this.handle ?? '';
      const { status, handle: answered, text } = await this.read({ offset, handle });
      if (status !== 200 || answered !== handle) throw new Error(`at ${offset}: status ${status}, handle ${answered}`);
      if (!bodyOf(text).startsWith(before)) throw new Error(`other bytes than before at ${offset}:\n${before}\n${text}`);
    }
    return this.served.size;
  }

  private remember(requested: string, text: string): void {
    const body = bodyOf(text);
    const before = this.served.get(requested) ?? '';
    if (!body.startsWith(before)) throw new Error(`other bytes than before at ${requested}`);
    this.served.set(requested, body);
  }

  private take({ key, value, headers }: ShapeMessage): void {
    if (key === undefined || value === undefined) return;
    const known = this.rows.get(key);
    const operation = String(headers['operation']);
    if ((operation === 'insert') === (known !== undefined)) {
      throw new Error(`${operation} of a row that is ${known === undefined ? 'not there' : 'there'}: ${key}`);
    }
    if (operation === 'delete') this.rows.delete(key);
    else this.rows.set(key, { ...known, ...value });
  }
}

/** The inside of a response's array, without its up-to-date message: what later responses only ever extend. */
function bodyOf(text: string): string {
  const upToDate = text.lastIndexOf('{"headers":{"control":"up-to-date"');
  return text.slice(1, upToDate === -1 ? text.lastIndexOf(']') : upToDate).replace(/[,\s]+$/, '');
}
