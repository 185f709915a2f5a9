/** A connection to a server by bare bytes: for requests that no client library sends. */
import { connect, type Socket } from 'node:net';

export interface RawConnection {
  readonly socket: Socket;
  /** Resolves when the other side has closed, with all that it said. */
  readonly said: Promise<string>;
}

/** Resolves when the connection is made and `text` was given to it. */
export async function rawConnection(port: number, text: string): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  const said = new Promise<string>((resolve) => {
    let heard = '';
    socket.on('data', (bytes) => (heard += bytes.toString('latin1')));
    socket.on('error', () => {}); // Closed in the middle: `close` follows.
    socket.on('close', () => resolve(heard));
  });
  await new Promise<void>((resolve) => socket.once('connect', resolve));
  await new Promise<void>((resolve) => socket.write(text, () => resolve()));
  return { socket, said };
}
