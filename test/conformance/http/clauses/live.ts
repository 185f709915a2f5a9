/** Section 5: polls, and what ends them. */
import { MUST_REFETCH, telling, type Clause } from '../clause.ts';
import { messagesOf, Reader, said } from '../reader.ts';

export const LIVE: readonly Clause[] = [
  {
    clause: '5.1',
    cases: [
      telling(
        'a poll that hears nothing',
        async (served) => {
          const answer = await (await Reader.following(served)).read('&live=true');
          return [
            messagesOf(answer).map(said),
            answer.headers.get('electric-has-data'),
            answer.headers.get('electric-up-to-date'),
            answer.headers.get('electric-schema'),
          ];
        },
        [['up-to-date'], 'false', '', null],
      ),
    ],
  },
  {
    clause: '5.2',
    cases: [
      telling(
        'a poll from before the last change',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          reader.offset = '0_inf';
          return messagesOf(await reader.read('&live')).map(said);
        },
        ['insert 1', 'up-to-date'],
      ),
    ],
  },
  {
    clause: '5.3',
    cases: [
      telling(
        'two polls, the second with the cursor of the first',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          const first = Number(reader.cursor);
          await reader.live("INSERT INTO @ VALUES (2, 'b')");
          return [first > 0, Number(reader.cursor) > first];
        },
        [true, true],
      ),
    ],
  },
  {
    clause: '5.4',
    cases: [
      telling(
        'an insert, and a read after a commit elsewhere',
        async (served) => {
          const [reader, other] = [await Reader.following(served), await Reader.following(served)];
          const [insert, upToDate] = messagesOf(await reader.live("INSERT INTO @ VALUES (1, 'a')"));
          await other.live("INSERT INTO @ VALUES (1, 'a')");
          const [later] = messagesOf(await reader.read());
          const told = (message = upToDate): bigint => BigInt(String(message?.headers['global_last_seen_lsn']));
          return [insert?.headers['lsn'] === upToDate?.headers['global_last_seen_lsn'], told(later) > told()];
        },
        [true, true],
      ),
    ],
  },
  {
    clause: '5.5',
    cases: [
      telling(
        'a poll whose table is truncated, and what it is led to',
        async (served) => {
          const reader = await Reader.following(served);
          const { handle } = reader;
          const ended = await reader.live('TRUNCATE @');
          reader.offset = '-1';
          const next = reader.handle;
          const again = await reader.read();
          const { headers, status, body } = ended;
          return [status, body, headers.get('cache-control'), next !== handle, again.status, reader.handle === next];
        },
        [409, MUST_REFETCH, 'public, max-age=60, must-revalidate', true, 200, true],
      ),
    ],
  },
];
