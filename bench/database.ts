/** The database that the benchmarks fill: one session, which does one thing after the other. */
import pg from 'pg';

export interface Database {
  readonly url: string;
  query(sql: string, params?: readonly (string | null)[]): Promise<readonly Record<string, unknown>[]>;
  /** Runs `COPY … TO STDOUT` and lets the bytes go. @returns how many there were. */
  copyOut(sql: string): Promise<number>;
  close(): Promise<void>;
}

/** The row that everything is measured with: an integer key, 100 bytes of text, an integer. */
const ROW = `i, left(repeat(md5(i::text), 4), 100), mod(i, 1000)`;

export async function openDatabase(url: string): Promise<Database> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => {}); // Told to the query in flight as well; without one, the next query says it.
  await client.connect();
  await client.query(`
    CREATE OR REPLACE PROCEDURE write_rows(target regclass, total int, transaction_rows int) LANGUAGE plpgsql AS $$
    BEGIN
      FOR start IN 1..total BY transaction_rows LOOP
        EXECUTE format('INSERT INTO %s SELECT ${ROW} FROM generate_series($1, $2) i', target)
          USING start, least(start + transaction_rows - 1, total);
        COMMIT;
      END LOOP;
    END $$`);
  return {
    url,
    query: async (sql, params = []) => (await client.query<Record<string, unknown>>(sql, [...params])).rows,
    copyOut: (sql) => new Promise((done, failed) => client.query(new CopyOut(sql, done, failed))),
    close: () => client.end(),
  };
}

export async function createTable(database: Database, name: string): Promise<void> {
  await database.query(`CREATE TABLE ${name} (id int PRIMARY KEY, body text NOT NULL, amount int NOT NULL)`);
  await database.query(`ALTER TABLE ${name} REPLICA IDENTITY FULL`);
}

export async function writeRows(database: Database, table: string, rows: number, transactionRows: number): Promise<void> {
  await database.query('SET synchronous_commit = off');
  await database.query(`CALL write_rows('${table}', ${rows}, ${transactionRows})`);
  await database.query('SET synchronous_commit = on');
}

/** The least that a client of Postgres can do with a COPY: count its bytes. */
class CopyOut implements pg.Submittable {
  private bytes = 0;
  private readonly sql: string;
  private readonly done: (bytes: number) => void;
  private readonly failed: (error: Error) => void;

  constructor(sql: string, done: (bytes: number) => void, failed: (error: Error) => void) {
    this.sql = sql;
    this.done = done;
    this.failed = failed;
  }

  submit(connection: pg.Connection): void {
    connection.query(this.sql);
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    this.bytes += chunk.length;
  }

  handleCommandComplete(): void {} // Postgres repeats the number of rows.

  handleReadyForQuery(): void {
    this.done(this.bytes);
  }

  handleError(error: Error): void {
    this.failed(error);
  }
}
