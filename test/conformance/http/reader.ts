/** A table of its own, and one who reads its shape: what clauses about logs are told with. */
import { ask, type Answer, type Asked, type Served } from './clause.ts';

export interface Message {
  readonly key?: string;
  readonly value?: Readonly<Record<string, string | null>>;
  readonly old_value?: Readonly<Record<string, string | null>>;
  readonly headers: Readonly<Record<string, unknown>>;
}

let tableCount = 0;

export class Reader {
  offset = '-1';
  handle = '';
  cursor = '';

  private constructor(
    readonly served: Served,
    readonly table: string,
    private readonly more: string,
  ) {}

  /** @param columns as CREATE TABLE has them; `more` of the query, in which `@` is the table. */
  static async of(served: Served, columns = 'id int PRIMARY KEY, value text', more = ''): Promise<Reader> {
    tableCount += 1;
    const table = `of_reader_${tableCount}`;
    await served.database.query(`CREATE TABLE ${table} (${columns})`);
    return new Reader(served, table, more.replaceAll('@', table));
  }

  /** One who has come to the end of the log. */
  static async following(served: Served, columns?: string, more?: string): Promise<Reader> {
    return await (await Reader.of(served, columns, more)).catchUp();
  }

  /** Runs SQL, in which `@` is the table. */
  async write(sql: string): Promise<void> {
    await this.served.database.query(sql.replaceAll('@', this.table));
  }

  path(flags = ''): string {
    const handle = this.handle === '' ? '' : `&handle=${this.handle}`;
    return `/v1/shape?table=${this.table}&offset=${this.offset}${handle}${this.more}${flags}`;
  }

  /** Reads once and stands behind what it got. */
  async read(flags = '', asked: Asked = {}): Promise<Answer> {
    const answer = await ask(this.served.url, `GET ${this.path(flags)}`, asked);
    this.offset = answer.headers.get('electric-offset') ?? this.offset;
    this.handle = answer.headers.get('electric-handle') ?? this.handle;
    this.cursor = answer.headers.get('electric-cursor') ?? this.cursor;
    return answer;
  }

  /** Reads on to the end of the log. */
  async catchUp(): Promise<this> {
    for (;;) {
      const { headers } = await this.read();
      if (headers.has('electric-up-to-date')) return this;
    }
  }

  /** The answer to a poll that begins, and to what is written then. */
  async live(sql: string): Promise<Answer> {
    const answer = this.read(`&live=true&cursor=${this.cursor}`);
    await this.write(sql);
    return await answer;
  }
}

/** Of a log's answer. */
export function messagesOf({ body }: Answer): readonly Message[] {
  return body as readonly Message[];
}

/** `insert 1`, `up-to-date`. */
export function said({ headers, value }: Message): string {
  return headers['control'] === undefined ? `${String(headers['operation'])} ${String(value?.['id'])}` : String(headers['control']);
}

export function changesIn(answer: Answer): readonly Message[] {
  return messagesOf(answer).filter(({ key }) => key !== undefined);
}
