/**
 * Silence: what is done about a connection that is there and says nothing. It may lead to a Postgres that computes, or nowhere: to tell
 * the two apart takes a question that anybody answers at once, and a time for the answer.
 */
import type { Duplex } from 'node:stream';
import type pg from 'pg';
import type { Clock } from '../../base/clock.ts';
import { DatabaseUnreachableError } from './database-error.ts';

/**
 * Closes the connection when `work` with it takes longer than `msMax`.
 *
 * @param late what whoever waits is told then.
 * @throws {DatabaseUnreachableError} the connection broke, or it took longer, unless `late` says otherwise.
 */
export async function inTime<Result>(
  client: pg.ClientBase,
  clock: Clock,
  msMax: number,
  work: () => Promise<Result>,
  late: () => Error = silent,
): Promise<Result> {
  const timer = clock.setTimer(() => breakOff(client, late()), msMax);
  try {
    return await work();
  } finally {
    clock.clearTimer(timer);
  }
}

/**
 * One step of several, each of which has its time: Postgres may be slow with every one, and none may last for ever.
 *
 * @param step ends when the signal that it is given is aborted.
 * @throws {DatabaseUnreachableError} it took longer than `msMax`. @throws as `step`.
 */
export async function stepInTime<Result>(
  signal: AbortSignal,
  clock: Clock,
  msMax: number,
  step: (given: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const overdue = new AbortController();
  const timer = clock.setTimer(() => overdue.abort(), msMax);
  try {
    return await step(AbortSignal.any([signal, overdue.signal]));
  } catch (error) {
    throw overdue.signal.aborted ? new DatabaseUnreachableError(`Postgres has been silent for ${msMax} ms`) : error;
  } finally {
    clock.clearTimer(timer);
  }
}

/**
 * What a client is asked, unless it is given up meanwhile: a wait for a slot or a lock ends with its connection.
 *
 * @throws {WorldError} the connection is closed.
 */
export async function until<Result>(signal: AbortSignal, client: pg.Client, work: Promise<Result>): Promise<Result> {
  const giveUp = (): void => void client.connection.stream.destroy();
  signal.addEventListener('abort', giveUp, { once: true });
  if (signal.aborted) giveUp(); // It tells of that but once.
  try {
    const result = await work;
    if (signal.aborted) throw new DatabaseUnreachableError('the attempt was given up');
    return result;
  } catch (error) {
    giveUp();
    throw error;
  } finally {
    signal.removeEventListener('abort', giveUp);
  }
}

/** Whoever waits for an answer gets an error. */
export function breakOff(client: pg.ClientBase, error: Error = silent()): void {
  streamOf(client).destroy(error);
}

function silent(): Error {
  return new DatabaseUnreachableError('Postgres has been silent for too long');
}

/** How many bytes came over each of some connections, up to a moment. */
export type Heard = ReadonlyMap<pg.ClientBase, number>;

export function heardBy(clients: Iterable<pg.ClientBase>): Heard {
  return new Map(Array.from(clients, (client) => [client, streamOf(client).bytesRead]));
}

/** Closes those over which nothing has come since. */
export function breakSilent(heard: Heard): void {
  for (const [client, bytesRead] of heard) if (streamOf(client).bytesRead === bytesRead) breakOff(client);
}

/** A pool's client is a client, though its type hides the connection; and a socket counts, though the type of its stream hides that. */
function streamOf(client: pg.ClientBase): Duplex & { readonly bytesRead: number } {
  return (client as pg.Client).connection.stream as Duplex & { readonly bytesRead: number };
}
