/**
 * What a page may write: each change is one statement, whose values are parameters.
 *
 * It is answered with the number of its transaction, `txid`. The shape names the same number with the row that it brings, in its last 32
 * bits, and by that the page knows its own change again; with it goes a place in Postgres's log behind it, `lsn`, for a page that gets the
 * change within a later one. Where nothing changed there is nothing to wait for: `null`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pool } from 'pg';
import { readChange, type Change } from '../change.ts';
import { wordsOf } from './words-of.ts';

const TABLE = `
  CREATE TABLE IF NOT EXISTS todos (
    id uuid PRIMARY KEY, -- Made by the page, so that a change that is sent twice is made once.
    title text NOT NULL,
    done boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
  )`;

/** The statement is a transaction of its own. */
const TXID = 'RETURNING pg_current_xact_id()::text AS txid';
/** Asked behind the commit. A number, as the shape tells it. */
const LSN = "SELECT (pg_current_wal_insert_lsn() - '0/0')::text AS lsn";
const ADD = `INSERT INTO todos (id, title) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING ${TXID}`;
const TICK = `UPDATE todos SET done = $2 WHERE id = $1 AND done <> $2 ${TXID}`;
const REMOVE = `DELETE FROM todos WHERE id = $1 ${TXID}`;

const BODY_LENGTH_MAX = 4_096;

/** Changes nothing where there is one. */
export async function createTodos(database: Pool): Promise<void> {
  await database.query(TABLE);
}

/** `POST /changes` with a change as JSON. */
export async function takeChange(database: Pool, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'POST') return answer(response, 405, { message: 'A change is posted.' });
  // A form of another site cannot send this type without asking first, and nobody answers it.
  const isJson = request.headers['content-type']?.startsWith('application/json') === true;
  if (!isJson) return answer(response, 415, { message: 'A change is JSON.' });
  const change = readChange(await bodyOf(request));
  if (change === undefined) return answer(response, 400, { message: 'This is no change to a todo.' });
  const written = await write(database, change);
  if ('refusal' in written) return answer(response, 503, { message: `Postgres did not take it: ${written.refusal}` });
  answer(response, 200, written);
}

type Written = { readonly made: { readonly txid: string; readonly lsn: string } | null } | { readonly refusal: string };

async function write(database: Pool, change: Change): Promise<Written> {
  try {
    const [made] = (await database.query<{ txid: string }>(...statementOf(change))).rows;
    if (made === undefined) return { made: null };
    const [behind] = (await database.query<{ lsn: string }>(LSN)).rows;
    return behind === undefined ? { refusal: 'it does not say where it is' } : { made: { ...made, ...behind } };
  } catch (error) {
    return { refusal: wordsOf(error) };
  }
}

function statementOf(change: Change): [sql: string, values: (string | boolean)[]] {
  switch (change.kind) {
    case 'add': return [ADD, [change.id, change.title.trim()]];
    case 'tick': return [TICK, [change.id, change.done]];
    case 'remove': return [REMOVE, [change.id]];
  }
}

/** @returns undefined for what is too long, or no JSON. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) {
    text += String(chunk);
    if (text.length > BODY_LENGTH_MAX) return undefined;
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
