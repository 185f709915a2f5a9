/**
 * SessionStatements: what a session of ours has prepared over its raw wire, and the messages that prepare and run it. A session has them
 * apart from those that `pg` has prepared there: each has names of its own.
 */
import type pg from 'pg';
import type { Question } from './prepared-question.ts';
import { frontendMessage } from './raw-wire.ts';

/** Of what was bound last, without a limit: the socket is the back-pressure. */
export const EXECUTE = frontendMessage('E', '', Buffer.alloc(4));
/** Ends what was asked for: Postgres answers it when it is done with that, or has refused some of it. */
export const SYNC = frontendMessage('S');

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

interface Written {
  readonly values: readonly string[];
  readonly message: Buffer;
}

/** Of each question what was written last: mostly the next one is about the same table. */
const lastRun = new WeakMap<Question, Written>();

/** Messages that run it, put together. @param values all as text, in and out. */
export function runMessage(question: Question, values: readonly string[] = []): Buffer {
  const last = lastRun.get(question);
  if (last !== undefined && areSame(last.values, values)) return last.message;
  const counts = Buffer.alloc(4);
  counts.writeUInt16BE(values.length, 2);
  const message = Buffer.concat([frontendMessage('B', '', question.name, counts, ...values.flatMap(withLength), NONE), EXECUTE]);
  lastRun.set(question, { values, message });
  return message;
}

function areSame(left: readonly string[], right: readonly string[]): boolean {
  return left.length === right.length && left.every((value, index) => value === right[index]);
}

const NONE = Buffer.alloc(2);

function withLength(value: string): readonly Buffer[] {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeInt32BE(bytes.length);
  return [length, bytes];
}
