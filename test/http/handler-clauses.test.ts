/** Every clause that docs/library.md has of `fetchHandler` is held by tests, which are named here. */
import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const HELD: Readonly<Record<string, readonly (readonly [file: string, title: string])[]>> = {
  R1: [
    ['fetch-handler', '$what is answered with the same status, headers and body'],
    ['fetch-handler', 'an event stream comes as it happens'],
  ],
  R2: [['fetch-handler', 'a request that is aborted leaves nothing behind'], ['fetch-handler', 'and ends when its reader leaves']],
  R3: [['fetch-handler', 'who takes nothing of his answer is cut off']],
  R4: [['fetch-handler', 'a service that stops answers who waits, waits for who reads, and then refuses']],
  R5: [['fetch-handler', 'a body that was $what before is refused to the program, and leaves nothing behind']],
  R6: [
    ['fetch-handler', 'the secret of the service is asked for as over its port'],
    ['../library/service', 'who may read is said with the options'],
  ],
  R7: [['node-listener', 'a handler that fails is 500'], ['../examples/servers', 'is gone when it leaves']],
  R8: [['authorize', 'nobody is asked about a preflight or a verb that there is not']],
  R9: [['authorize', 'it fixes $what']],
  R10: [['authorize', 'false is 403, and an answer of the program is sent as it is']],
  R11: [
    ['authorize', 'what is no answer is 500, and told in the log: $what'],
    ['authorize', 'a hook that throws is 500 without its words'],
  ],
  R12: [['authorize', 'a client that chooses a table to which the fixed $what does not fit is refused']],
  R13: [['authorize', 'the table, whichever the client names']],
  R14: [
    ['authorize', 'the columns, whatever else the client lists as allowed'],
    ['authorize', 'a column that is not allowed, in a filter'],
  ],
  R15: [['authorize', 'the rows, of which the client takes some, with parameters of its own']],
  R16: [['authorize', 'another table, in a filter']],
  R17: [
    ['authorize', 'a filter that fails in a row that is not shown'],
    ['../library/service', 'what a fixed filter fails over is told without the words of Postgres'],
  ],
  R18: [['authorize', 'a handle of another definition leads to the right one']],
  R19: [['authorize', 'and a shape is deleted by nobody who was']],
  R20: [['authorize', 'no cache gives an answer to anybody else']],
};
const PAGE = new URL('../../docs/library.md', import.meta.url);

test('the page has the clauses that are held, and no others', () => {
  const written = [...readFileSync(PAGE, 'utf8').matchAll(/^- \*\*(R\d+)\*\* /gm)].map(([, clause]) => clause);

  expect(written).toEqual(Object.keys(HELD));
});

test.each(Object.entries(HELD))('%s is held by tests that are there', (_, tests) => {
  const missing = tests.filter(([file, title]) => {
    const path = new URL(`${file}.test.ts`, import.meta.url);
    return !existsSync(path) || !readFileSync(path, 'utf8').includes(title);
  });

  expect(missing).toEqual([]);
});
