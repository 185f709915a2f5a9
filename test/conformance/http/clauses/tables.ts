/** Section 8, of tables that go or change while they are asked for, and of those that are parts of others. */
import { ask, headersOf, MUST_REFETCH, telling, type Clause, type Served } from '../clause.ts';
import { changesIn, Reader, said } from '../reader.ts';

/** Columns, and behind them how the table is partitioned. */
const PARTITIONED = 'id int PRIMARY KEY, value text) PARTITION BY RANGE (id';

/** One who follows a partitioned table with rows below 10 in one partition, and below 20 in another. */
async function followingPartitions(served: Served): Promise<Reader> {
  const reader = await Reader.of(served, PARTITIONED);
  await reader.write(`
    CREATE TABLE @_low PARTITION OF @ FOR VALUES FROM (0) TO (10); CREATE TABLE @_high PARTITION OF @ FOR VALUES FROM (10) TO (20);
    INSERT INTO @ VALUES (1, 'a'), (11, 'b')`);
  return await reader.catchUp();
}

export const TABLES: readonly Clause[] = [
  {
    clause: '8.1',
    cases: [
      telling(
        'a handle of another definition',
        async (served) => {
          const reader = await Reader.of(served, undefined, '&where=id > 1');
          await reader.read();
          const { handle } = reader;
          const answer = await ask(served.url, `GET /v1/shape?table=${reader.table}&offset=0_0&handle=${handle}`);
          const [led] = headersOf(answer, 'electric-handle');
          const again = await ask(served.url, `GET /v1/shape?table=${reader.table}&offset=-1&handle=${led}`);
          return [answer.status, answer.body, led === handle, again.status, headersOf(again, 'electric-handle')[0] === led];
        },
        [409, MUST_REFETCH, false, 200, true],
      ),
    ],
  },
  {
    clause: '8.2',
    cases: [
      telling(
        'a table that is dropped and made anew with another column, and written to: a poll, the handle, and a new filter on the old column',
        async (served) => {
          const reader = await Reader.following(served);
          const poll = reader.live('DROP TABLE @; CREATE TABLE @ (id int PRIMARY KEY, other text); INSERT INTO @ VALUES (1)');
          const old = { offset: reader.offset, handle: reader.handle };
          const statuses = [(await poll).status, (await ask(served.url,
            `GET /v1/shape?table=${reader.table}&offset=${old.offset}&handle=${old.handle}`)).status];
          const filtered = await ask(served.url, `GET /v1/shape?table=${reader.table}&offset=-1&where=value='a'`);
          reader.offset = '-1';
          return [...statuses, filtered.status < 500, changesIn(await reader.read()).map(({ value }) => value)];
        },
        [409, 409, true, [{ id: '1', other: null }]],
      ),
      telling(
        'a table that is dropped, by its handle and by a new filter',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.write('DROP TABLE @');
          const asked = (): Promise<number> =>
            ask(served.url, `GET /v1/shape?table=${reader.table}&offset=-1&where=id > 7`).then(({ status }) => status);
          const statuses = [await asked(), await asked()];
          let { status } = await reader.read();
          while (status === 200) ({ status } = await reader.read('&live=true'));
          return [statuses, status];
        },
        [[409, 400], 400],
      ),
      telling(
        'a truncated table, whose next shape follows what comes',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          const ended = await reader.live('TRUNCATE @');
          reader.offset = '-1';
          const anew = await reader.read();
          await reader.catchUp();
          return [ended.status, changesIn(anew).length, changesIn(await reader.live("INSERT INTO @ VALUES (2, 'b')")).map(said)];
        },
        [409, 0, ['insert 2']],
      ),
    ],
  },
  {
    clause: '8.5',
    cases: [
      telling(
        'a partition, which has its own rows, and the table that it is a part of, which has those of all',
        async (served) => {
          const { database, url } = served;
          await database.query(`
            CREATE TABLE years (id int, year int, PRIMARY KEY (id, year)) PARTITION BY RANGE (year);
            CREATE TABLE years_20 PARTITION OF years FOR VALUES FROM (2000) TO (2100); INSERT INTO years VALUES (1, 2020);
            CREATE TABLE years_21 PARTITION OF years FOR VALUES FROM (2100) TO (2200); INSERT INTO years VALUES (2, 2120)`);
          const first = ['years_20', 'years'].map((table) => ask(url, `GET /v1/shape?table=${table}&offset=-1`));
          return (await Promise.all(first)).map((answer) => changesIn(answer).map(({ key }) => key).sort());
        },
        [['"public"."years_20"/"1"/"2020"'], ['"public"."years"/"1"/"2020"', '"public"."years"/"2"/"2120"']],
      ),
      telling(
        'a view',
        async ({ database, url }) => {
          await database.query('CREATE VIEW seen AS SELECT * FROM items');
          const { status, body } = await ask(url, 'GET /v1/shape?table=seen&offset=-1');
          return [status, JSON.stringify(body).includes('is a view')];
        },
        [400, true],
      ),
    ],
  },
  {
    clause: '8.10',
    cases: [
      telling(
        'a row that an UPDATE moves to another partition',
        async (served) => {
          const reader = await followingPartitions(served);
          return changesIn(await reader.live('UPDATE @ SET id = 12 WHERE id = 1')).map(said);
        },
        ['delete 1', 'insert 12'],
      ),
    ],
  },
  {
    clause: '8.11',
    cases: [
      telling(
        'a partition that is truncated, and one that is made and written to',
        async (served) => {
          const reader = await followingPartitions(served);
          const made = await reader.live("CREATE TABLE @_top PARTITION OF @ DEFAULT; INSERT INTO @ VALUES (30, 'c')");
          const ended = await reader.live('TRUNCATE @_low, @_high');
          reader.offset = '-1';
          return [changesIn(made).map(said), ended.status, changesIn(await reader.read()).map(said)];
        },
        [['insert 30'], 409, ['insert 30']],
      ),
      telling(
        'a partition that is detached',
        async (served) => {
          const reader = await followingPartitions(served);
          const ended = await reader.live('ALTER TABLE @ DETACH PARTITION @_low');
          reader.offset = '-1';
          return [ended.status, changesIn(await reader.read()).map(said)];
        },
        [409, ['insert 11']],
      ),
    ],
  },
  {
    clause: '8.6',
    cases: [
      telling(
        'a table that somebody holds when it is to be published, and again when it is let go',
        async (served) => {
          const [reader, holder] = [await Reader.of(served), await served.database.session()];
          await holder.query(`BEGIN; LOCK TABLE ${reader.table}`);
          const { status, body, headers } = await reader.read();
          await holder.query('ROLLBACK');
          reader.offset = '-1';
          return [status, body, headers.get('retry-after'), (await reader.read()).status];
        },
        [503, { message: 'Snapshot timed out while waiting for a table lock' }, '10', 200],
      ),
    ],
  },
  {
    clause: '4.11',
    cases: [
      telling(
        'an offset that the log reaches while it is waited for',
        async (served) => {
          const reader = await Reader.following(served);
          const [{ lsn } = { lsn: '' }] = await served.database.query<{ lsn: string }>(
            "SELECT (pg_current_wal_insert_lsn() - '0/0' + 16)::text AS lsn",
          );
          reader.offset = `${lsn}_0`;
          const waiting = reader.read();
          await reader.write("INSERT INTO @ VALUES (1, 'a')");
          return [(await waiting).status, changesIn(await waiting).map(said)];
        },
        [200, ['insert 1']],
      ),
    ],
  },
];
