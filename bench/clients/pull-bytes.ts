/** So many bytes from a bare server, let go as they come. */
import { get } from 'node:http';
import { invariant } from '../../src/base/invariant.ts';

export function pullBytes(port: number, bytes: number): Promise<void> {
  return new Promise((done, failed) => {
    get(`http://127.0.0.1:${port}/bytes/${bytes}`, (response) => {
      let pulled = 0;
      response.on('data', (part: Buffer) => (pulled += part.length));
      response.on('end', () => {
        invariant(pulled === bytes, 'a bare server sends what it is asked for');
        done();
      });
    }).on('error', failed);
  });
}
