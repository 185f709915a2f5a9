/** A request as a server sees it, over a real connection of which the test sends each byte. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rawConnection, type RawConnection } from './raw-connection.ts';

export interface IncomingRequest {
  readonly request: IncomingMessage;
  readonly client: RawConnection;
  /** Sends a piece of the body. */
  write(piece: string): void;
  /** Sends the end of the body. */
  end(): void;
  close(): Promise<void>;
}

/** Its body is chunked: each piece that is sent comes by itself. @param headers beside those that it needs. */
export async function incomingRequest(headers: Readonly<Record<string, string>> = {}): Promise<IncomingRequest> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const requests = once(server, 'request') as Promise<[IncomingMessage]>;
  const client = await rawConnection(
    (server.address() as AddressInfo).port,
    `POST / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n${linesOf(headers)}\r\n`,
  );
  const [request] = await requests;
  return {
    request,
    client,
    write: (piece) => void client.socket.write(`${piece.length.toString(16)}\r\n${piece}\r\n`),
    end: () => void client.socket.write('0\r\n\r\n'),
    async close() {
      client.socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function linesOf(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
}
