/** Section 6: event streams. */
import { ask, MUST_REFETCH, telling, type Clause } from '../clause.ts';
import { messagesOf, Reader, said } from '../reader.ts';

/** The first events of a stream, as many as `count`; then the client goes. */
async function eventsOf(reader: Reader, count: number, meanwhile: () => Promise<void>): Promise<readonly unknown[]> {
  const controller = new AbortController();
  const response = await fetch(reader.served.url + reader.path('&live=true&live_sse=true'), { signal: controller.signal });
  await meanwhile();
  let text = '';
  for await (const piece of response.body ?? []) {
    text += Buffer.from(piece).toString();
    if (text.split('\n\n').length > count) break;
  }
  controller.abort();
  return text.split('\n\n').slice(0, count).map((event) => JSON.parse(event.replace(/^data: /, '')));
}

export const STREAMS: readonly Clause[] = [
  {
    clause: '6.1',
    cases: [
      telling(
        'a stream, while two rows are written',
        async (served) => {
          const reader = await Reader.following(served);
          const events = await eventsOf(reader, 3, () => reader.write("INSERT INTO @ VALUES (1, 'a'), (2, 'b')"));
          return events.map((event) => said(event as never));
        },
        ['insert 1', 'insert 2', 'up-to-date'],
      ),
    ],
  },
  {
    clause: '6.2',
    cases: [
      telling(
        'a stream from before the last change, while a row is written',
        async (served) => {
          const reader = await Reader.following(served);
          await reader.live("INSERT INTO @ VALUES (1, 'a')");
          reader.offset = '0_0';
          const events = await eventsOf(reader, 4, () => reader.write("INSERT INTO @ VALUES (2, 'b')"));
          return events.map((event) => said(event as never)).filter((word) => word !== 'up-to-date');
        },
        ['insert 1', 'insert 2'],
      ),
    ],
  },
  {
    clause: '6.3',
    cases: [
      telling(
        'a read from the offset that a client makes of a stream',
        async (served) => {
          const reader = await Reader.following(served);
          const events = await eventsOf(reader, 3, () => reader.write("INSERT INTO @ VALUES (1, 'a'), (2, 'b')"));
          const [, last, upToDate] = events as { headers: Record<string, string> }[];
          const told = upToDate?.headers['global_last_seen_lsn'];
          reader.offset = `${told}_0`;
          const again = messagesOf(await reader.read()).map(said);
          const next = messagesOf(await reader.live("INSERT INTO @ VALUES (3, 'c')")).map(said);
          return [BigInt(told ?? 0) - BigInt(last?.headers['lsn'] ?? 0), again, next];
        },
        [1n, ['up-to-date'], ['insert 3', 'up-to-date']],
      ),
    ],
  },
  {
    clause: '6.5',
    cases: [
      telling(
        'a stream of a handle that is unknown',
        async (served) => {
          const { table } = await Reader.of(served);
          const { status, headers, body } = await ask(
            served.url,
            `GET /v1/shape?table=${table}&offset=5_0&handle=none&live=true&live_sse=true`,
          );
          return [status, headers.get('content-type'), body];
        },
        [409, 'application/json; charset=utf-8', MUST_REFETCH],
      ),
    ],
  },
];
