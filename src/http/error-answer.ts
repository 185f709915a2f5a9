/** An answer that says what is wrong, and that nobody may keep. */
import { JSON_TYPE } from './media-types.ts';
import type { HttpAnswer } from './send-response.ts';

export function errorAnswer(status: number, body: unknown): HttpAnswer {
  return {
    status,
    headers: ['content-type', JSON_TYPE, 'cache-control', 'no-store', 'surrogate-control', 'no-store'],
    body: [Buffer.from(JSON.stringify(body))],
  };
}
