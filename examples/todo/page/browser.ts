/** What the page takes from the machine that it runs on: the network, and randomness. */
import type { Change } from '../change.ts';
import { WriteError, type MadeWrite } from './writes.ts';

const ANSWER_MS_MAX = 15_000;

interface Answer {
  readonly made?: { readonly txid: string; readonly lsn: string } | null;
  readonly message?: string;
}

/** The name of a new todo, which no other has. */
export function newId(): string {
  return crypto.randomUUID();
}

/**
 * Has the app's server make `change`.
 *
 * @returns the transaction that made it, or null where there was nothing to change.
 * @throws {WriteError} it was not made; or the answer was lost, and whether it was made is not known. It may be sent again.
 */
export async function sendChange(change: Change): Promise<MadeWrite | null> {
  const response = await fetch('/changes', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(change),
    signal: AbortSignal.timeout(ANSWER_MS_MAX),
  }).catch(() => undefined);
  if (response === undefined) throw new WriteError('The server does not answer.');
  const body = (await response.json().catch(() => ({}))) as Answer;
  if (!response.ok || body.made === undefined) throw new WriteError(body.message ?? `The server answers with ${response.status}.`);
  return body.made === null ? null : { txid: BigInt(body.made.txid), lsn: BigInt(body.made.lsn) };
}
