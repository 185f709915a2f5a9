/**
 * TransactionStanding: is a transaction in a shape? An optimistic client asks this until the shape has what it wrote.
 *
 * No answer is guessed: what our log does not know Postgres is asked about, and of what neither can tell any more it is said so. A commit
 * that waits for a standby is in our log before Postgres shows it, so the log is asked first.
 */
import { SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';
import { isBeyond, isVisible, type Xid } from '../../model/pg-snapshot.ts';
import { endOfTransaction, findTransaction } from './log-search.ts';
import type { ToldShape } from './told-shape.ts';
import type { LoggedTransactionPlace, TransactionSource } from './transaction-source.ts';

export type TransactionStanding =
  /** Who has read up to the offset has all that the transaction did to the shape. */
  | { readonly status: 'in'; readonly offset: LogOffset }
  /** The first rows were read behind it: what it left is in them, and no log tells which rows were its own. */
  | { readonly status: 'in_snapshot'; readonly offset: LogOffset }
  /** The shape has come past it, and no line of its log is of it. */
  | { readonly status: 'passed' }
  | { readonly status: 'not_yet'; readonly waitsFor: WaitsFor }
  | { readonly status: 'aborted' | 'unknown' | 'forgotten' | 'unreachable' };

/** Whose turn it is: the writer's, that of Postgres's stream, of the shape itself, or of its first rows. */
export type WaitsFor = 'commit' | 'stream' | 'shape' | 'snapshot';

export async function transactionStanding(shape: ToldShape, source: TransactionSource, xid: Xid): Promise<TransactionStanding> {
  const logged = await source.logged(xid);
  if (logged !== undefined) return standingOfLogged(shape, xid, logged);
  const fate = await source.fate(xid);
  switch (fate.fate) {
    case 'running':
      return notYet('commit');
    case 'notBegun':
      return { status: 'unknown' };
    case 'committed': {
      if (fate.through === undefined) return notYet('stream');
      const since = await source.logged(xid); // It may have come meanwhile.
      return since === undefined ? standingOfUnlogged(shape, source, xid, fate.through) : standingOfLogged(shape, xid, since);
    }
    default:
      return { status: fate.fate };
  }
}

async function standingOfLogged(shape: ToldShape, xid: Xid, { lsn, end }: LoggedTransactionPlace): Promise<TransactionStanding> {
  const { snapshot, definition } = shape;
  if (snapshot.state === 'awaited') return notYet('snapshot');
  if (!isBeyond(lsn, snapshot.pgSnapshot) && isVisible(xid, snapshot.pgSnapshot)) return beforeTheLog(shape);
  if (shape.position < end || mayMoveBy(shape, lsn)) return notYet('shape');
  if (definition.dependencies !== undefined) return found(shape, xid);
  const offset = await endOfTransaction(shape, lsn);
  return offset === undefined ? { status: 'passed' } : { status: 'in', offset };
}

/** It touched no table that had a shape, or it is older than what is remembered. */
async function standingOfUnlogged(
  shape: ToldShape,
  source: TransactionSource,
  xid: Xid,
  through: LoggedTransactionPlace['end'],
): Promise<TransactionStanding> {
  const { snapshot } = shape;
  if (snapshot.state === 'awaited') return notYet('snapshot');
  if (isVisible(xid, snapshot.pgSnapshot)) return beforeTheLog(shape);
  if (shape.position < through || mayMoveBy(shape)) return notYet('shape');
  return source.wouldBeKnown(xid) ? { status: 'passed' } : found(shape, xid);
}

/** A shape that it depends on is behind, and may have moves to tell that come of it. */
function mayMoveBy({ definition, waitsAt }: ToldShape, lsn?: Lsn): boolean {
  if (definition.dependencies === undefined || waitsAt === undefined) return false;
  return lsn === undefined || compareLsn(lsn, waitsAt) > 0;
}

async function found(shape: ToldShape, xid: Xid): Promise<TransactionStanding> {
  const place = await findTransaction(shape, xid);
  if (place.offset !== undefined) return { status: 'in', offset: place.offset };
  return { status: place.isWhole ? 'passed' : 'forgotten' };
}

/** A log of changes only has no first rows. */
function beforeTheLog({ definition }: ToldShape): TransactionStanding {
  return definition.log === 'changes_only' ? { status: 'passed' } : { status: 'in_snapshot', offset: SNAPSHOT_END };
}

function notYet(waitsFor: WaitsFor): TransactionStanding {
  return { status: 'not_yet', waitsFor };
}
