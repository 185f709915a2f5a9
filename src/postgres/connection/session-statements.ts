/**
 * SessionStatements: what a session of ours has prepared over its raw wire, and the messages that prepare and run it. A session has them
 * apart from those that `pg` has prepared there: each has names of its own.
 */
import type pg from 'pg';
import type { Question } from './prepared-question.ts';
import { frontendMessage } from './raw-wire.ts';

const prepared = new WeakMap<pg.ClientBase, Set<string>>();

/** @returns whether Postgres has said so. */
export function isPrepared(client: pg.ClientBase, name: string): boolean {
  return prepared.get(client)?.has(name) === true;
}

/** Postgres has said so, for as long as the session lasts. */
export function notePrepared(client: pg.ClientBase, name: string): void {
  const names = prepared.get(client) ?? new Set();
  prepared.set(client, names.add(name));
}

/** Parameters as their types are inferred. */
export function prepareMessage({ name, text }: Question): Buffer {
  return frontendMessage('P', name, text, NONE);
}

/** One for each value: all as text, in and out. */
export function runMessages({ name }: Question, values: readonly string[] = []): readonly Buffer[] {
  const counts = Buffer.alloc(4);
  counts.writeUInt16BE(values.length, 2);
  return [frontendMessage('B', '', name, counts, ...values.flatMap(withLength), NONE), frontendMessage('E', '', NO_LIMIT)];
}

/** The values of a `DataRow`, as text. */
export function textsOf(bytes: Uint8Array, start: number): (string | null)[] {
  const row = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const texts: (string | null)[] = [];
  let at = start + 2;
  for (let left = row.readUInt16BE(start); left > 0; left -= 1) {
    const length = row.readInt32BE(at);
    at += 4;
    texts.push(length < 0 ? null : row.toString('utf8', at, at + length));
    at += Math.max(length, 0);
  }
  return texts;
}

const NONE = Buffer.alloc(2);
const NO_LIMIT = Buffer.alloc(4);

function withLength(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return [length, bytes];
}
