/**
 * A shape with a subquery, of a family of its own, and what it tells of each transaction: `+10` for the child of value 10 that comes, `-10`
 * for one that leaves, `~10` for one that changed. The last that is read of a transaction is an *up-to-date* of behind its commit: so
 * nothing that it may move is still under way, at whatever depth, and to tell nothing is an answer too.
 */
import { invariant } from '../../../src/base/invariant.ts';
import { askShape } from '../../oracle/shape-exchange.ts';
import type { ShapeMessage } from '../../support/shapes/tag-folding-client.ts';
import type { TestDatabase } from '../../support/postgres/postgres.ts';

const SIGNS = { insert: '+', update: '~', delete: '-' } as const;

/** Roots are open or not; a parent has a value, a root and an owner; a child is one of a value. Tables end in a number of their own. */
export class Family {
  private static count = 0;
  private readonly number = (Family.count += 1);

  constructor(
    readonly database: TestDatabase,
    readonly shapeUrl: string,
  ) {}

  /** @param sql tells of roots and parents; there is a child for each of the values 10 to 50. */
  async begin(sql: string): Promise<this> {
    await this.write(`
      CREATE TABLE roots (id int PRIMARY KEY, open boolean NOT NULL);
      CREATE TABLE parents (id int PRIMARY KEY, value int, root int, owner int, note text);
      CREATE TABLE children (id int PRIMARY KEY, value int);
      INSERT INTO roots VALUES (1, true), (2, true), (3, false);
      INSERT INTO children SELECT i, i FROM generate_series(10, 50, 10) i;
      ${sql}`);
    return this;
  }

  /** One transaction. @returns an LSN before that of its commit, and behind all that was committed before. */
  async write(sql: string): Promise<bigint> {
    const [row] = await this.database.query<{ lsn: string }>(this.text(`${sql}; SELECT pg_current_wal_insert_lsn() - '0/0' AS lsn`));
    invariant(row !== undefined, 'a query of one row has one');
    return BigInt(row.lsn);
  }

  children(where: string, more: Readonly<Record<string, string>> = {}): ToldShape {
    return new ToldShape(this.shapeUrl, this.named({ table: 'children', where, ...more }));
  }

  /** Parameters that name its tables. */
  named(parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
    return Object.fromEntries(Object.entries(parameters).map(([name, text]) => [name, this.text(text)]));
  }

  private text(sql: string): string {
    return sql.replaceAll(/\b(roots|parents|children)\b/g, `$1_${this.number}`);
  }
}

export class ToldShape {
  private offset = '-1';
  private handle: string | undefined;

  constructor(
    private readonly shapeUrl: string,
    private readonly parameters: Readonly<Record<string, string>>,
  ) {}

  /** What is told from where the last one ended, through all that had committed before `lsn` was told. */
  async through(lsn: bigint): Promise<readonly ShapeMessage[]> {
    const told: ShapeMessage[] = [];
    for (let known = -1n; known < lsn; ) {
      const request = { offset: this.offset, handle: this.handle, live: false, cursor: '' };
      const exchange = await askShape(this.shapeUrl, this.parameters, request);
      invariant(exchange.type === 'answered', 'the shape is served');
      const { entries, offset, handle, upToDateLsn } = exchange.answer;
      told.push(...entries);
      this.offset = offset;
      this.handle = handle;
      known = upToDateLsn ?? -1n;
    }
    return told;
  }

  /** The same, in words, by value and then in their order. */
  async words(lsn: bigint): Promise<string> {
    const words = (await this.through(lsn)).flatMap(wordOf);
    return words.sort((left, right) => Number(left.slice(1)) - Number(right.slice(1))).join(' ');
  }
}

function wordOf(message: ShapeMessage): readonly string[] {
  return 'key' in message ? [`${SIGNS[message.headers.operation]}${message.value['id']}`] : [];
}
