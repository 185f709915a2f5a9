/**
 * A Postgres that lets everybody in and answers nothing behind that: as a pooler does whose sessions are all at work, or a server whose
 * network was cut in that moment.
 */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { systemClock } from '../../../src/base/clock.ts';

export interface SilentPostgres {
  readonly url: string;
  /** Who comes from now on is let in so many milliseconds later. */
  letInAfter(ms: number): void;
  close(): Promise<void>;
}

/** AuthenticationOk, and ReadyForQuery outside of a transaction. */
const LET_IN = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 0, 0x5a, 0, 0, 0, 5, 0x49]);

export async function startSilentPostgres(): Promise<SilentPostgres> {
  const sockets = new Set<Socket>();
  let delayMs = 0;
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {}); // Its close says enough.
    socket.once('data', () => systemClock.setTimer(() => socket.write(LET_IN), delayMs));
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `postgresql://somebody:word@127.0.0.1:${(server.address() as AddressInfo).port}/some?sslmode=disable`,
    letInAfter: (ms) => void (delayMs = ms),
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
