/** Section 10: what clients are told of a shape with a subquery. The rows themselves are held against SELECT in `test/service`. */
import { telling, type Case, type Clause, type Served } from '../clause.ts';
import { changesIn, messagesOf, Reader, said, type Message } from '../reader.ts';

const OF_ACTIVE = 'parent_id IN (SELECT id FROM @_parents WHERE value = 1)';
const HASH = /^[0-9a-f]{32}/;

/** Children 1 to 3 of parents of those numbers, and of none; the first parent has the value 1. */
async function familyOf(served: Served, where: string, more = ''): Promise<Reader> {
  const columns = 'id int PRIMARY KEY, parent_id int, extra bool NOT NULL DEFAULT false';
  const reader = await Reader.of(served, columns, `&where=${where}${more}`);
  await reader.write(`
    CREATE TABLE @_parents (id int PRIMARY KEY, value int, group_id int); CREATE TABLE @_groups (id int PRIMARY KEY, open bool);
    INSERT INTO @_groups VALUES (1, true), (2, false);
    INSERT INTO @_parents VALUES (1, 1, 1), (2, 2, 2); INSERT INTO @ VALUES (1, 1), (2, 2), (3, NULL)`);
  return reader;
}

/** `move-in 0,2`, with the positions that its patterns name; others as they are said elsewhere. */
function word(message: Message): string {
  const { event, patterns } = message.headers as { event?: string; patterns?: readonly { pos: number }[] };
  return event === undefined ? said(message) : `${event} ${(patterns ?? []).map(({ pos }) => pos).join(',')}`;
}

/** What is told from the end of the log on, through the message whose word is `last`; nothing of what is up to date. */
async function heard(reader: Reader, sql: string, last: string): Promise<readonly Message[]> {
  await reader.write(sql);
  return await heardUpTo(reader, last);
}

async function heardUpTo(reader: Reader, last: string): Promise<readonly Message[]> {
  const messages: Message[] = [];
  while (!messages.some((message) => word(message) === last)) {
    const told = messagesOf(await reader.read(`&live=true&cursor=${reader.cursor}`));
    messages.push(...told.filter(({ headers }) => headers['control'] !== 'up-to-date'));
  }
  return messages;
}

/** What is told of a family whose shape is followed, in words. */
function moving(
  asks: string,
  where: string,
  steps: readonly (readonly [sql: string, last: string])[],
  gives: readonly string[],
  more = '',
): Case {
  return telling(
    asks,
    async (served) => {
      const reader = await (await familyOf(served, where, more)).catchUp();
      const words: string[] = [];
      for (const [sql, last] of steps) words.push(...(await heard(reader, sql, last)).map(word));
      return words;
    },
    gives,
  );
}

/** Hashes as letters, in the order in which they come. */
function lettered(tags: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const hashes = new Map<string, string>();
  const letter = (slot: string): string => {
    if (!HASH.test(slot)) return slot;
    if (!hashes.has(slot)) hashes.set(slot, String.fromCharCode(97 + hashes.size));
    return hashes.get(slot) ?? '';
  };
  return tags.map((row) => row.map((tag) => tag.split('/').map(letter).join('/')));
}

const tagsOf = (messages: readonly Message[]) => lettered(messages.map(({ headers }) => headers['tags'] as string[]));
const conditionsOf = (messages: readonly Message[]) => messages.map(({ headers }) => headers['active_conditions']);

/** Tags and conditions of the first rows. */
function tagging(asks: string, where: string, gives: unknown, more = ''): Case {
  return telling(
    asks,
    async (served) => {
      const rows = changesIn(await (await familyOf(served, where, more)).read());
      const ordered = [...rows].sort((left, right) => Number(left.value?.['id']) - Number(right.value?.['id']));
      return [ordered.map(({ value }) => value?.['id']), tagsOf(ordered), conditionsOf(ordered)];
    },
    gives,
  );
}

const START = 'UPDATE @_parents SET value = 1 WHERE id = 2';
const END = 'UPDATE @_parents SET value = 0 WHERE id = 1';

export const SUBQUERIES: readonly Clause[] = [
  {
    clause: '10.1',
    cases: [
      tagging('a subquery alone', OF_ACTIVE, [['1'], [['a']], [[true]]]),
      tagging('a subquery and a condition', `${OF_ACTIVE} AND NOT extra`, [['1'], [['a/1']], [[true, true]]]),
      tagging('a subquery or a condition', `${OF_ACTIVE} OR id > 2`,
        [['1', '3'], [['a/', '/1'], ['b/', '/1']], [[true, false], [false, true]]],
      ),
      tagging('parameters on both sides', 'parent_id IN (SELECT id FROM @_parents WHERE value = $1) AND id = $2',
        [['1'], [['a/1']], [[true, true]]], '&params[1]=1&params[2]=1',
      ),
      tagging('a row value', '(parent_id, id) IN (SELECT id, value FROM @_parents)', [['1', '2'], [['a'], ['b']], [[true], [true]]]),
      tagging('a row whose column is null, and that is there for another reason', `${OF_ACTIVE} OR parent_id IS NULL`,
        [['1', '3'], [['a/', '/1'], ['b/', '/1']], [[true, false], [false, true]]],
      ),
    ],
  },
  {
    clause: '10.2',
    cases: [
      telling(
        'a child of a parent that is there, which then goes to another one that is',
        async (served) => {
          const reader = await (await familyOf(served, 'parent_id IN (SELECT id FROM @_parents)')).catchUp();
          const changes = [
            ...(await heard(reader, 'INSERT INTO @ VALUES (4, 1)', 'insert 4')),
            ...(await heard(reader, 'UPDATE @ SET parent_id = 2 WHERE id = 4', 'update 4')),
          ];
          const tags = changes.flatMap(({ headers }) => [headers['tags'], headers['removed_tags'] ?? []] as string[][]);
          return [changes.map(word), lettered(tags)];
        },
        [['insert 4', 'update 4'], [['a'], [], ['b'], ['a']]],
      ),
      moving('a child that goes by its own update', OF_ACTIVE, [['UPDATE @ SET parent_id = 2 WHERE id = 1', 'delete 1']], ['delete 1']),
    ],
  },
  {
    clause: '10.3',
    cases: [
      telling(
        'a parent that leaves',
        async (served) => {
          const reader = await familyOf(served, OF_ACTIVE);
          const [row] = changesIn(await reader.read());
          await reader.catchUp();
          const [event, ...rest] = await heard(reader, END, 'move-out 0');
          const { patterns, txids } = event?.headers as { patterns: unknown; txids: readonly unknown[] };
          const [tag = ''] = row?.headers['tags'] as string[];
          return [rest, patterns, txids.length].map((told) => JSON.stringify(told).replace(tag, 'its tag'));
        },
        ['[]', '[{"pos":0,"value":"its tag"}]', '1'],
      ),
      moving('a value that NOT IN excludes from now on', 'parent_id NOT IN (SELECT id FROM @_parents WHERE value = 1)',
        [[START, 'move-out 0']], ['move-out 0'],
      ),
      moving('a row that is still there by another condition', `${OF_ACTIVE} OR extra`,
        [
          ['UPDATE @ SET extra = true WHERE id = 1', 'update 1'],
          [END, 'move-out 0'],
          ['UPDATE @ SET extra = false WHERE id = 1', 'delete 1'],
        ],
        ['update 1', 'move-out 0', 'delete 1'],
      ),
      moving('a subquery behind another condition', `extra OR ${OF_ACTIVE}`, [[END, 'move-out 1'], [START, 'snapshot-end']],
        ['move-out 1', 'move-in 1', 'insert 2', 'snapshot-end'],
      ),
    ],
  },
  {
    clause: '10.4',
    cases: [
      telling(
        'a parent that comes',
        async (served) => {
          const reader = await (await familyOf(served, OF_ACTIVE)).catchUp();
          const told = await heard(reader, START, 'snapshot-end');
          const [event, row, end] = told;
          const { tags, active_conditions: conditions, is_move_in: isMoveIn, operation } = row?.headers ?? {};
          const [pattern] = event?.headers['patterns'] as { pos: number; value: string }[];
          return [told.map(word), operation, isMoveIn, conditions, row?.value, (tags as string[])[0] === pattern?.value,
            Object.keys(end?.headers ?? {}).sort(),
          ];
        },
        [
          ['move-in 0', 'insert 2', 'snapshot-end'],
          'insert', true, [true], { id: '2', parent_id: '2', extra: 'false' }, true, ['control', 'xip_list', 'xmax', 'xmin'],
        ],
      ),
      moving('a value that NOT IN does not exclude any more', 'parent_id NOT IN (SELECT id FROM @_parents WHERE value > 0)',
        [[END, 'snapshot-end']], ['move-in 0', 'insert 1', 'snapshot-end'],
      ),
      moving('a row that is there already by another condition', `${OF_ACTIVE} OR id = 2`,
        [[START, 'move-in 0']], ['move-in 0'],
      ),
      moving('either of two subqueries that must both hold',
        `${OF_ACTIVE} AND parent_id IN (SELECT id FROM @_parents WHERE group_id = 2)`,
        [[START, 'snapshot-end']], ['move-in 0', 'insert 2', 'snapshot-end'],
      ),
    ],
  },
  {
    clause: '10.5',
    cases: [
      moving('a second row with a value that is selected already, and one of the two that leaves',
        'parent_id IN (SELECT group_id FROM @_parents WHERE value = 1)',
        [
          ['INSERT INTO @_parents VALUES (3, 1, 1); DELETE FROM @_parents WHERE id = 1; INSERT INTO @ VALUES (9, 1)', 'insert 9'],
          ['DELETE FROM @_parents WHERE id = 3', 'move-out 0'],
        ],
        ['insert 9', 'move-out 0'],
      ),
    ],
  },
  {
    clause: '10.6',
    cases: [
      moving('three levels',
        'parent_id IN (SELECT id FROM @_parents WHERE group_id IN (SELECT id FROM @_groups WHERE open))',
        [
          ['UPDATE @_groups SET open = true WHERE id = 2', 'snapshot-end'],
          ['UPDATE @_groups SET open = false WHERE id = 1', 'move-out 0'],
        ],
        ['move-in 0', 'insert 2', 'snapshot-end', 'move-out 0'],
      ),
    ],
  },
  {
    clause: '10.7',
    cases: [
      moving('out, changed, and in again',
        OF_ACTIVE,
        [
          [END, 'move-out 0'],
          ['UPDATE @ SET extra = true WHERE id = 1; UPDATE @_parents SET value = 1 WHERE id = 1', 'snapshot-end'],
          ['UPDATE @ SET extra = false WHERE id = 1', 'update 1'],
        ],
        ['move-out 0', 'move-in 0', 'insert 1', 'snapshot-end', 'update 1'],
      ),
      telling(
        'in, while the rows that come with it are held by a lock; then out, in and out',
        async (served) => {
          const [reader, holder] = [await (await familyOf(served, OF_ACTIVE)).catchUp(), await served.database.session()];
          await holder.query(`BEGIN; LOCK TABLE ${reader.table}`);
          await reader.write(START);
          await served.database.until(`SELECT FROM pg_locks WHERE NOT granted AND relation = '${reader.table}'::regclass`);
          for (const value of [2, 1, 2]) await reader.write(`UPDATE @_parents SET value = ${value} WHERE id = 2`);
          await holder.query('ROLLBACK');
          const moved = await heardUpTo(reader, 'move-out 0');
          return [...moved, ...(await heard(reader, 'INSERT INTO @ VALUES (4, 1)', 'insert 4'))].map(word);
        },
        ['move-in 0', 'insert 2', 'snapshot-end', 'move-out 0', 'insert 4'],
      ),
    ],
  },
  {
    clause: '10.8',
    cases: [
      telling(
        'a shape whose subquery has to wait for a lock',
        async (served) => {
          const [reader, other] = [await familyOf(served, OF_ACTIVE), await served.database.session()];
          const published = await fetch(`${served.url}/v1/shape?table=${reader.table}_parents&offset=-1&where=id < 0`);
          await published.text();
          await other.query(`BEGIN; LOCK TABLE ${reader.table}_parents`);
          const answer = reader.read();
          await served.database.until(`SELECT FROM pg_locks WHERE NOT granted AND relation = '${reader.table}_parents'::regclass`);
          await other.query('ROLLBACK');
          const told = await answer;
          return [told.status, told.status === 200 ? changesIn(told).map(said) : told.body];
        },
        [200, ['insert 1']],
      ),
    ],
  },
  {
    clause: '10.9',
    cases: [
      moving('a parent that leaves and comes again', OF_ACTIVE,
        [[END, 'delete 1'], ['UPDATE @_parents SET value = 1 WHERE id = 1', 'insert 1']],
        ['delete 1', 'insert 1'], '&move_outs=deletes',
      ),
    ],
  },
];
