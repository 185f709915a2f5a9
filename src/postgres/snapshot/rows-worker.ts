/**
 * The program of a RowsThread: one query at a time over a session of its own, read and written down as lines. It decides nothing: what
 * becomes of a fragment, and whether the rows count, is said by who started it. Its transaction is open until then, and with it the table
 * is held.
 */
import { parentPort } from 'node:worker_threads';
import { systemClock } from '../../base/clock.ts';
import { invariant } from '../../base/invariant.ts';
import { connect, farewell } from '../connection/connection.ts';
import { prepareLongSession } from '../connection/long-session.ts';
import { sharedMemory } from '../../base/growable-bytes.ts';
import { LineEncoder } from '../encoding/line-encoder.ts';
import { streamRows } from './row-stream.ts';
import { toldError, type FromThread, type RowsTask, type ToThread } from './rows-messages.ts';

invariant(parentPort !== null, 'this is the program of a thread');
const port = parentPort;
let answered: () => void = () => {};
port.on('message', (word: ToThread) => {
  if (typeof word === 'string') answered();
  else void take(word);
});

async function take(task: RowsTask): Promise<void> {
  try {
    await read(task);
    say({ type: 'free' });
  } catch (error) {
    say({ type: 'failed', error: toldError(error) });
  }
}

async function read({ target, applicationName, begin, sql, template, isBoolean }: RowsTask): Promise<void> {
  const client = await connect(target, { applicationName });
  try {
    await prepareLongSession(client);
    await client.query(begin);
    say({ type: 'begun' });
    await streamRows({
      client,
      query: { sql, params: undefined },
      encoder: new LineEncoder(template, isBoolean, sharedMemory),
      rows: (lines) => answerTo({ type: 'fragment', lines }),
      onFirst: () => say({ type: 'first' }),
      signal: new AbortController().signal, // Whoever gives up ends the thread.
      isAlone: true,
    });
    await answerTo({ type: 'read' });
  } finally {
    await farewell(client, systemClock);
  }
}

function say(message: FromThread): void {
  port.postMessage(message);
}

async function answerTo(message: FromThread): Promise<void> {
  const answer = new Promise<void>((hear) => (answered = hear));
  say(message);
  await answer;
}
