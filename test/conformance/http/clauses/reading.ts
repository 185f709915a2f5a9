/** Section 4: what a log gives, from its first rows on. */
import { telling, type Clause } from '../clause.ts';
import { changesIn, messagesOf, Reader, said } from '../reader.ts';

export const READING: readonly Clause[] = [
  {
    clause: '4.1',
    cases: [
      telling(
        'the first chunk of a table with a row, and what comes behind it',
        async (served) => {
          const reader = await Reader.of(served);
          await reader.write("INSERT INTO @ VALUES (1, 'a')");
          const [first, second] = [await reader.read(), await reader.read()];
          return [first, second].map((answer) => [
            messagesOf(answer).map(said),
            answer.headers.get('electric-offset'),
            answer.headers.get('electric-up-to-date'),
            answer.headers.get('electric-has-data'),
          ]);
        },
        [
          [['insert 1', 'snapshot-end'], '0_0', null, 'true'],
          [['up-to-date'], '0_inf', '', 'true'],
        ],
      ),
      telling('an empty table', async (served) => messagesOf(await (await Reader.of(served)).read()).map(said), ['snapshot-end']),
    ],
  },
  {
    clause: '4.2',
    cases: [
      telling(
        'a row that is larger than a chunk, and the rest',
        async (served) => {
          const reader = await Reader.of(served);
          await reader.write("INSERT INTO @ VALUES (1, repeat('x', 1100000))");
          const answers = [await reader.read(), await reader.read(), await reader.read()];
          return answers.map((answer) => [messagesOf(answer).map(said), answer.headers.get('electric-offset')]);
        },
        [
          [['insert 1'], '0_0'],
          [['snapshot-end'], '0_1'],
          [['up-to-date'], '0_inf'],
        ],
      ),
      telling(
        'three rows of one transaction that fill more than a chunk',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.write("INSERT INTO @ SELECT id, repeat('x', 600000) FROM generate_series(1, 3) id");
          const first = await reader.read('&live=true');
          return [first, await reader.read()].map((answer) => messagesOf(answer).map(said));
        },
        [
          ['insert 1', 'insert 2'],
          ['insert 3', 'up-to-date'],
        ],
      ),
    ],
  },
  {
    clause: '4.3',
    cases: [
      telling(
        'values as text, nulls, and keys',
        async (served) => {
          const reader = await Reader.of(served, 'b text, a char(3), flag bool, blob bytea, PRIMARY KEY (a, b)');
          await reader.write(`INSERT INTO @ VALUES ('x/"y', 'ab', true, '\\x00ff'), ('n', 'c', NULL, NULL)`);
          return changesIn(await reader.read()).map(({ key, value, headers }) => ({
            key: key?.replace(reader.table, 't'),
            value,
            headers: Object.keys(headers),
          }));
        },
        [
          {
            key: '"public"."t"/"ab "/"x//"y"',
            value: { b: 'x/"y', a: 'ab ', flag: 'true', blob: '\\x00ff' },
            headers: ['operation', 'relation'],
          },
          { key: '"public"."t"/"c  "/"n"', value: { b: 'n', a: 'c  ', flag: null, blob: null }, headers: ['operation', 'relation'] },
        ],
      ),
      telling(
        'a table without a key, by all its columns',
        async (served) => {
          const reader = await Reader.of(served, 'a text, b text');
          await reader.write("INSERT INTO @ VALUES ('x', NULL)");
          return changesIn(await reader.read()).map(({ key }) => key?.replace(reader.table, 't'));
        },
        ['"public"."t"/"x"/_'],
      ),
    ],
  },
  {
    clause: '4.4',
    cases: [
      telling(
        'now of a shape that is new, and of one that has changed',
        async (served) => {
          const reader = await Reader.of(served);
          const offset = 'now';
          reader.offset = offset;
          const first = await reader.read();
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          const end = reader.offset;
          reader.offset = offset;
          const second = await reader.read();
          return [first, second].map((answer) => [
            messagesOf(answer).map(said),
            answer.headers.get('electric-has-data'),
            answer.headers.get('electric-offset') === (answer === first ? '0_inf' : end),
          ]);
        },
        [
          [['up-to-date'], 'false', true],
          [['up-to-date'], 'false', true],
        ],
      ),
    ],
  },
  {
    clause: '4.5',
    cases: [
      telling(
        'changes only of a table with rows, and an update',
        async (served) => {
          const reader = await Reader.of(served, undefined, '&log=changes_only');
          await reader.write("INSERT INTO @ VALUES (1, 'a')");
          const first = await reader.read();
          await reader.catchUp();
          return [first, await reader.live("UPDATE @ SET value = 'b'")].map((answer) => messagesOf(answer).map(said));
        },
        [['snapshot-end'], ['update 1', 'up-to-date']],
      ),
    ],
  },
  {
    clause: '4.6',
    cases: [
      telling(
        'one filter in two spellings, and the same columns named and not',
        async (served) => {
          const handles: string[] = [];
          const { table } = await Reader.of(served);
          for (const more of ["&where=value='a'", "&where=  value  =  'a'", '', '&columns=id,value']) {
            const answer = await fetch(`${served.url}/v1/shape?table=${table}&offset=-1${more}`);
            handles.push(answer.headers.get('electric-handle') ?? '');
          }
          return [handles[0] === handles[1], handles[2] === handles[3]];
        },
        [true, false],
      ),
    ],
  },
  {
    clause: '4.7',
    cases: [
      telling(
        'three rows in one transaction',
        async (served) => {
          const answer = await (await Reader.following(served)).live("INSERT INTO @ VALUES (1, 'a'), (2, 'b'), (3, 'c')");
          return changesIn(answer).map(({ headers }) => [
            (headers['txids'] as unknown[]).length,
            typeof headers['lsn'],
            headers['op_position'],
            headers['last'],
          ]);
        },
        [
          [1, 'string', 0, undefined],
          [1, 'string', 2, undefined],
          [1, 'string', 4, true],
        ],
      ),
    ],
  },
  {
    clause: '4.8',
    cases: [
      telling(
        'an update of one column and a delete, by default',
        async (served) => {
          const reader = await Reader.following(served, 'id int PRIMARY KEY, value text, other text');
          await reader.live("INSERT INTO @ VALUES (1, 'a', 'o')");
          const changes = [await reader.live("UPDATE @ SET value = 'b'"), await reader.live('DELETE FROM @')].flatMap(changesIn);
          return changes.map(({ value }) => value);
        },
        [{ id: '1', value: 'b' }, { id: '1' }],
      ),
    ],
  },
  {
    clause: '4.9',
    cases: [
      telling(
        'updates into the filter, out of it, beside it, and of nothing',
        async (served) => {
          const reader = await Reader.following(served, undefined, "&where=value='in'");
          await reader.write("INSERT INTO @ VALUES (1, 'in'), (2, 'out'), (3, 'out')");
          const answer = await reader.live('SELECT');
          const moves = await reader.live(
            "BEGIN; UPDATE @ SET value = 'in' WHERE id = 2; UPDATE @ SET value = 'out' WHERE id = 1; UPDATE @ SET value = value; COMMIT",
          );
          return [answer, moves].map((each) => messagesOf(each).map(said));
        },
        [
          ['insert 1', 'up-to-date'],
          ['insert 2', 'delete 1', 'up-to-date'],
        ],
      ),
    ],
  },
  {
    clause: '4.10',
    cases: [
      telling(
        'an update of the key',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          const [gone, come] = changesIn(await reader.live('UPDATE @ SET id = 2'));
          return [gone?.value, come?.value, gone?.headers['key_change_to'] === come?.key, come?.headers['key_change_from'] === gone?.key];
        },
        [{ id: '1' }, { id: '2', value: 'a' }, true, true],
      ),
    ],
  },
  {
    clause: '4.11',
    cases: [
      telling(
        'an offset that no log has',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          reader.offset = '9223372036854775807_0';
          const { status, body } = await reader.read();
          return [status, body];
        },
        [400, { message: 'Invalid request', errors: { offset: ['out of bounds for this shape'] } }],
      ),
    ],
  },
];
