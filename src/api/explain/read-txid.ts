/** Where a transaction stands for one shape, as it is asked over the wire: `docs/explain.md` has the statuses. */
import type { Xid } from '../../model/pg-snapshot.ts';
import type { Handle } from '../../model/shape.ts';
import type { ApiContext } from '../api-context.ts';
import { whenAwake, whenReady } from '../readiness.ts';
import { databaseUnreachable, invalidRequest, shapeGone, type Refusal } from '../refusal.ts';
import type { RawParameters } from '../shape-parameters.ts';
import { findTransaction } from './log-search.ts';
import { told, unlessGone, type ToldAnswer } from './told-answer.ts';
import { transactionStanding, type FindTransaction, type TransactionStanding, type WaitsFor } from './transaction-standing.ts';

/** As many digits as a 64-bit id has. */
const NUMBER = /^\d{1,20}$/;
/** Below it Postgres has numbers of its own. */
const FIRST_XID = 3n;
const XID_AS_64_BITS = 2n ** 64n;

const WAITS: Readonly<Record<WaitsFor, string>> = {
  commit: 'The transaction is still running.',
  stream: 'The transaction has committed, and Postgres has yet to stream what it did.',
  shape: 'The shape has yet to take the transaction.',
  snapshot: 'The first rows of the shape have yet to be read.',
};

/** @param number as the request has it: the id, or its lower 32 bits, which `txids` has. */
export async function readTransaction(
  context: ApiContext,
  number: string,
  raw: RawParameters,
  signal: AbortSignal,
): Promise<ToldAnswer | Refusal> {
  const xid = xidOf(number);
  if (xid === undefined) return invalidRequest({ txid: ['must be the number of a transaction'] });
  const { handle } = raw;
  if (handle === undefined || handle === '') return invalidRequest({ handle: ["can't be blank"] });
  if (typeof handle !== 'string') return invalidRequest({ handle: ['is invalid'] });
  const unready = (await whenReady(context, 'readable')) ?? (await whenAwake(context, signal));
  if (unready !== undefined) return unready;
  const { explain } = context.ports;
  const shape = explain.shape(handle as Handle);
  if (shape === undefined) return shapeGone();
  const find: FindTransaction = (sought) => {
    return context.searches.transactions.ask(`${shape.handle} ${xid}`, signal, (stop) => findTransaction(shape, sought, stop));
  };
  const sources = { shape, source: explain.transactions, find };
  const standing = await unlessGone(context.ports, shape.handle, () => transactionStanding(sources, xid));
  return 'kind' in standing ? standing : answerOf(standing, xid, shape.handle);
}

function xidOf(number: string): Xid | undefined {
  if (!NUMBER.test(number)) return undefined;
  const whole = BigInt(number);
  const xid = Number(BigInt.asUintN(32, whole));
  return whole < FIRST_XID || whole >= XID_AS_64_BITS ? undefined : (xid as Xid);
}

function answerOf(standing: TransactionStanding, txid: Xid, handle: Handle): ToldAnswer | Refusal {
  const { status } = standing;
  const body = (message: string, more = {}) => ({ txid, handle, status, ...more, message });
  switch (status) {
    case 'in':
      return told(200, body('The transaction is in the shape at this offset.', { offset: standing.offset }));
    case 'in_snapshot':
      return told(200, body('The first rows of the shape were read behind the transaction.', { offset: standing.offset }));
    case 'in_moves':
      return told(200, body('Rows have moved one by one behind the transaction, which name nobody.', { offset: standing.offset }));
    case 'passed':
      return told(200, body('The shape has passed the transaction, and no row matched.'));
    case 'aborted':
      return told(200, body('The transaction was rolled back.'));
    case 'not_yet':
      return told(202, body(WAITS[standing.waitsFor], { waits_for: standing.waitsFor }));
    case 'unknown':
      return told(404, body('Postgres has not given out this number yet.'));
    case 'forgotten':
      return told(410, body('The transaction is older than what is remembered.'));
    case 'unreachable':
      return databaseUnreachable();
  }
}
