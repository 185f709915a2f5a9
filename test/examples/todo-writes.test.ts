/** When the todo app lets go of what was written: in the moment in which the shape has it, whichever comes first. */
import { expect, test } from 'vitest';
import type { Change } from '../../examples/todo/change.ts';
import { shownTodos, type Todo } from '../../examples/todo/page/todo.ts';
import { WriteError, Writes, type MadeWrite, type ShapeMessage } from '../../examples/todo/page/writes.ts';

const UP_TO_DATE: ShapeMessage = { headers: { control: 'up-to-date' } };
const MUST_REFETCH: ShapeMessage = { headers: { control: 'must-refetch' } };
/** Of a database that has given out 2^32 numbers already. */
const EPOCH = 2n ** 32n;
/** Nothing that is told here lies behind it. */
const FAR_LSN = 2n ** 63n;
const ADD: Change = { kind: 'add', id: 'a', title: 'Buy milk' };
const TICK: Change = { kind: 'tick', id: 'a', done: true };

function snapshotEnd(xmax: bigint, ...inProgress: readonly bigint[]): ShapeMessage {
  return { headers: { control: 'snapshot-end', xmin: '1', xmax: String(xmax), xip_list: inProgress.map(String) } };
}

function broughtBy(txid: number): ShapeMessage {
  return { headers: { operation: 'insert', txids: [txid] } };
}

/** A server that answers when it is told to, and not before. */
class Server {
  readonly sent: Change[] = [];
  readonly writes = new Writes((change) => this.take(change));
  private answers: { readonly resolve: (made: MadeWrite | null) => void; readonly reject: (error: Error) => void }[] = [];

  async answer(txid: bigint | null, lsn = FAR_LSN): Promise<void> {
    this.answers.shift()?.resolve(txid === null ? null : { txid, lsn });
    await this.settled();
  }

  async refuse(error: Error): Promise<void> {
    this.answers.shift()?.reject(error);
    await this.settled();
  }

  /** Lets everybody go on who can. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
  }

  private take(change: Change): Promise<MadeWrite | null> {
    this.sent.push(change);
    return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
  }
}

/** One whose list has come to the end of its first rows. */
function following(): Server {
  const server = new Server();
  server.writes.take([snapshotEnd(EPOCH + 1n), UP_TO_DATE]);
  return server;
}

test('a write is let go of when the shape has brought its transaction, be it before or behind the answer', async () => {
  const [behind, before] = [following(), following()];
  for (const { writes } of [behind, before]) writes.make(ADD);
  await Promise.all([behind.settled(), before.settled()]);

  await behind.answer(EPOCH + 7n);
  behind.writes.take([broughtBy(6)]);
  const answered = behind.writes.current().pending;
  behind.writes.take([broughtBy(7)]);
  before.writes.take([broughtBy(7)]);
  const brought = before.writes.current().pending;
  await before.answer(EPOCH + 7n);

  const ends = [behind, before].map(({ writes }) => writes.current().pending);
  expect({ answered, brought, ends }).toEqual({ answered: [ADD], brought: [ADD], ends: [[], []] });
});

test('a write that came within a later one is let go of when the list is up to date behind it', async () => {
  const server = following();
  server.writes.make(TICK);
  await server.settled();
  await server.answer(EPOCH + 7n, 500n);

  const pending = ['499', '500'].map((lsn) => {
    server.writes.take([broughtBy(9), { headers: { control: 'up-to-date', global_last_seen_lsn: lsn } }]);
    return server.writes.current().pending;
  });

  expect(pending).toEqual([[TICK], []]);
});

test('a write that changed nothing is let go of with its answer', async () => {
  const server = following();
  server.writes.make(TICK);
  await server.settled();

  await server.answer(null);

  expect(server.writes.current()).toEqual({ pending: [], failed: [] });
});

test('a write that first rows have is let go of when they are shown, at the start and when the list begins anew', async () => {
  const [loading, anew] = [new Server(), following()];
  for (const { writes } of [loading, anew]) writes.make(ADD);
  await Promise.all([loading.settled(), anew.settled()]);

  await loading.answer(EPOCH + 7n);
  loading.writes.take([snapshotEnd(EPOCH + 8n)]);
  anew.writes.take([MUST_REFETCH, snapshotEnd(EPOCH + 8n), UP_TO_DATE]);
  const pending = [loading, anew].map(({ writes }) => writes.current().pending);
  loading.writes.take([UP_TO_DATE]);
  await anew.answer(EPOCH + 7n);

  const ends = [loading, anew].map(({ writes }) => writes.current().pending);
  expect({ pending, ends }).toEqual({ pending: [[ADD], [ADD]], ends: [[], []] });
});

test('a write that comes with the log behind first rows is kept until that is shown', async () => {
  const server = new Server();
  server.writes.make(ADD);
  await server.settled();
  await server.answer(EPOCH + 7n);

  server.writes.take([snapshotEnd(EPOCH + 1n), broughtBy(7)]);
  const { pending } = server.writes.current();
  server.writes.take([UP_TO_DATE]);

  expect({ pending, left: server.writes.current().pending }).toEqual({ pending: [ADD], left: [] });
});

test('a write that first rows do not have is kept: it came later, or was in progress', async () => {
  const servers = [new Server(), new Server()];
  for (const { writes } of servers) writes.make(ADD);
  await Promise.all(servers.map((server) => server.settled()));

  servers[0]?.writes.take([snapshotEnd(EPOCH + 7n), UP_TO_DATE]);
  servers[1]?.writes.take([snapshotEnd(EPOCH + 9n, EPOCH + 7n), UP_TO_DATE]);
  await Promise.all(servers.map((server) => server.answer(EPOCH + 7n)));

  expect(servers.map(({ writes }) => writes.current().pending)).toEqual([[ADD], [ADD]]);
});

test('writes are sent one after another, and what is refused is kept until somebody says what becomes of it', async () => {
  const server = following();
  for (const change of [ADD, TICK]) server.writes.make(change);
  await server.settled();
  const first = [...server.sent];

  await server.refuse(new WriteError('Postgres is away'));
  const { failed } = server.writes.current();
  for (const write of failed) server.writes.retry(write);
  await server.answer(null);

  expect({ first, failed, sent: server.sent, left: server.writes.current() }).toEqual({
    first: [ADD],
    failed: [{ change: ADD, reason: 'Postgres is away' }],
    sent: [ADD, TICK, ADD],
    left: { pending: [ADD], failed: [] },
  });
});

test('todos are shown newest first, with what was done to them here, once', () => {
  const rows: Todo[] = [
    { id: 'a', title: 'Buy milk', done: false, created_at: '2026-01-01 12:00:00.5+00' },
    { id: 'b', title: 'Write to Ada', done: false, created_at: '2026-01-01 12:00:00.45+00' },
    { id: 'c', title: 'Sleep', done: true, created_at: '2026-01-01 12:00:00+00' },
  ];

  const shown = shownTodos(rows, [
    ADD, { kind: 'add', id: 'd', title: 'Rise' }, TICK, { kind: 'remove', id: 'b' }, { kind: 'tick', id: 'gone', done: true },
  ]);

  expect(shown).toEqual([
    { id: 'd', title: 'Rise', done: false, isPending: true },
    { id: 'a', title: 'Buy milk', done: true, isPending: true },
    { id: 'c', title: 'Sleep', done: true, isPending: false },
  ]);
});
