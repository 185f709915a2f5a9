/** MalformedRequest: what is answered to bytes that are no request, or do not become one in time. Its connection ends with the answer. */
import type { Duplex } from 'node:stream';
import { JSON_TYPE } from './media-types.ts';

/** Also of an address: the parser does not say which of them it was, and clients take a 414 as they take this. */
const TOO_LARGE = 'Request line and headers are too large: what is long may stand in the body of a POST';

/** By the code of Node's parser. */
const REFUSALS: ReadonlyMap<string, readonly [status: string, text: string]> = new Map([
  ['ERR_HTTP_REQUEST_TIMEOUT', ['408 Request Timeout', 'Request took too long']],
  ['HPE_HEADER_OVERFLOW', ['431 Request Header Fields Too Large', TOO_LARGE]],
  ['HPE_CHUNK_EXTENSIONS_OVERFLOW', ['413 Payload Too Large', 'Request body has chunk extensions that are too large']],
]);

/** @param isAnswering what is written now would be read as a part of another answer, or in its place. */
export function refuseMalformed(error: Error, socket: Duplex, isAnswering: boolean): void {
  const code = 'code' in error ? String(error.code) : '';
  if (isAnswering || code === 'ECONNRESET') return void socket.destroy();
  const [status, text] = REFUSALS.get(code) ?? ['400 Bad Request', 'Malformed request'];
  refuse(socket, status, text);
}

/** We are no proxy. Node has given the socket away: an error that nobody listens for would end the service. */
export function refuseTunnel(socket: Duplex, isAnswering: boolean): void {
  socket.on('error', () => socket.destroy());
  if (isAnswering) return void socket.destroy();
  refuse(socket, '404 Not Found', 'Not found');
}

function refuse(socket: Duplex, status: string, text: string): void {
  if (!socket.writable) return void socket.destroy();
  const body = JSON.stringify({ error: text });
  const headers = [
    `HTTP/1.1 ${status}`,
    `content-type: ${JSON_TYPE}`,
    'cache-control: no-store',
    'surrogate-control: no-store',
    'access-control-allow-origin: *', // A browser that may not read why would take it for a network that fails, and try for ever.
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${headers.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
