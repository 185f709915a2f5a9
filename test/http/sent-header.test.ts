/** Of an answer that stays open the header is let go of when it is sent, and Node goes on with the answer as before. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { forgetSentHeader } from '../../src/http/sent-header.ts';
import { rawConnection } from '../support/http/raw-connection.ts';

test('what is written behind it arrives, whole and in its chunks, and the next answer has a header of its own', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const serve = (response: ServerResponse): boolean[] => {
    response.writeHead(200, ['x-name', 'a value that is long enough']).flushHeaders();
    const before = response.headersSent;
    forgetSentHeader(response);
    response.write('one');
    response.end('two');
    const isHeld = Object.values(response).some((held) => typeof held === 'string' && held.includes('a value that is long'));
    return [before, response.headersSent, isHeld];
  };
  const states: boolean[][] = [];
  server.on('request', (_request, response) => void states.push(serve(response)));
  const request = 'GET / HTTP/1.1\r\nhost: x\r\n';
  const { said } = await rawConnection((server.address() as AddressInfo).port, `${request}\r\n${request}connection: close\r\n\r\n`);
  const heard = await said;
  server.close();

  const [first, second] = heard.split('HTTP/1.1 200 OK\r\n').slice(1).map((answer) => ({
    hasHeader: answer.includes('x-name: a value that is long enough'),
    body: answer.slice(answer.indexOf('\r\n\r\n') + 4),
  }));
  const answer = { hasHeader: true, body: '3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n' };
  expect({ states, first, second }).toEqual({
    states: [[true, true, false], [true, true, false]],
    first: answer,
    second: answer,
  });
});
