/**
 * TransactionStanding: is a transaction in a shape? An optimistic client asks this until the shape has what it wrote.
 *
 * No answer is guessed: what our log does not know Postgres is asked about, and of what neither can tell any more it is said so. A commit
 * that waits for a standby is in our log before Postgres shows it, so the log is asked first.
 */
import { laterOffset, lsnOfOffset, SNAPSHOT_END, type LogOffset } from '../../model/log-offset.ts';
import { compareLsn, type Lsn } from '../../model/lsn.ts';
import { isBeyond, isVisible, type Xid } from '../../model/pg-snapshot.ts';
import { endOfTransaction, type Found, type Sought } from './log-search.ts';
import type { ToldShape } from './told-shape.ts';
import type { LoggedTransactionPlace, TransactionSource } from './transaction-source.ts';

export type TransactionStanding =
  /** Who has read up to the offset has all that the transaction did to the shape. */
  | { readonly status: 'in'; readonly offset: LogOffset }
  /** The first rows were read behind it: what it left is in them, and no log tells which rows were its own. */
  | { readonly status: 'in_snapshot'; readonly offset: LogOffset }
  /** Rows were told one by one behind it, up to the offset, for what moved in a subquery: whether it moved them no log tells. */
  | { readonly status: 'in_moves'; readonly offset: LogOffset }
  /** The shape has come past it, and no line of its log is of it. */
  | { readonly status: 'passed' }
  | { readonly status: 'not_yet'; readonly waitsFor: WaitsFor }
  | { readonly status: 'aborted' | 'unknown' | 'forgotten' | 'unreachable' };

/** Whose turn it is: the writer's, that of Postgres's stream, of the shape itself, or of its first rows. */
export type WaitsFor = 'commit' | 'stream' | 'shape' | 'snapshot';

/** Looks for it in the shape's log. */
export type FindTransaction = (sought: Sought) => Promise<Found>;

/** Of whom it is asked. */
export interface StandingSources {
  readonly shape: ToldShape;
  readonly source: TransactionSource;
  readonly find: FindTransaction;
}

export async function transactionStanding(sources: StandingSources, xid: Xid): Promise<TransactionStanding> {
  const { source } = sources;
  const logged = await source.logged(xid);
  if (logged !== undefined) return standingOfLogged(sources, xid, logged);
  const fate = await source.fate(xid);
  switch (fate.fate) {
    case 'running':
      return notYet('commit');
    case 'notBegun':
      return { status: 'unknown' };
    case 'committed': {
      if (fate.through === undefined) return notYet('stream');
      const since = await source.logged(xid); // It may have come meanwhile.
      return since === undefined ? standingOfUnlogged(sources, xid, fate.through) : standingOfLogged(sources, xid, since);
    }
    default:
      return { status: fate.fate };
  }
}

async function standingOfLogged(
  { shape, find }: StandingSources,
  xid: Xid,
  { lsn, end }: LoggedTransactionPlace,
): Promise<TransactionStanding> {
  const { snapshot, definition } = shape;
  if (snapshot.state === 'awaited') return notYet('snapshot');
  const isBefore = !isBeyond(lsn, snapshot.pgSnapshot) && isVisible(xid, snapshot.pgSnapshot);
  if (definition.dependencies === undefined && isBefore) return beforeTheLog(shape);
  if (shape.position < end || mayMoveBy(shape, lsn)) return notYet('shape');
  if (definition.dependencies !== undefined) return found(shape, find, { xid, lsn, isBefore });
  const offset = await endOfTransaction(shape, lsn);
  if (offset !== undefined) return { status: 'in', offset: allTold(shape, offset) };
  return { status: compareLsn(lsn, lsnOfOffset(shape.compactedThrough)) <= 0 ? 'forgotten' : 'passed' };
}

/** It touched no table that had a shape, or it is older than what is remembered. */
async function standingOfUnlogged(
  { shape, source, find }: StandingSources,
  xid: Xid,
  through: LoggedTransactionPlace['end'],
): Promise<TransactionStanding> {
  const { snapshot, definition } = shape;
  if (snapshot.state === 'awaited') return notYet('snapshot');
  const isBefore = isVisible(xid, snapshot.pgSnapshot);
  if (definition.dependencies === undefined && isBefore) return beforeTheLog(shape);
  if (shape.position < through || mayMoveBy(shape)) return notYet('shape');
  if (source.wouldBeKnown(xid)) return isBefore ? beforeTheLog(shape) : { status: 'passed' };
  return found(shape, find, { xid, lsn: undefined, isBefore });
}

/** A shape that it depends on is behind, and may have moves to tell that come of it. */
function mayMoveBy({ definition, waitsAt }: ToldShape, lsn?: Lsn): boolean {
  if (definition.dependencies === undefined || waitsAt === undefined) return false;
  return lsn === undefined || compareLsn(lsn, waitsAt) > 0;
}

interface Place extends Sought {
  /** The query for the first rows has seen it. They were chosen by what subqueries selected before that: a move may come behind them. */
  readonly isBefore: boolean;
}

async function found(shape: ToldShape, find: FindTransaction, { isBefore, ...sought }: Place): Promise<TransactionStanding> {
  const { offset, unnamed, from } = await find(sought);
  if (offset !== undefined) return { status: 'in', offset: allTold(shape, laterOffset(offset, unnamed ?? offset)) };
  if (isBefore && hasFirstRows(shape)) return { status: 'in_snapshot', offset: unnamed ?? from };
  if (unnamed !== undefined) return { status: 'in_moves', offset: unnamed };
  return { status: from === SNAPSHOT_END && shape.compactedThrough === SNAPSHOT_END ? 'passed' : 'forgotten' };
}

/** Where lines were compacted, what a transaction did to a row may have gone into a line behind its own, but not out of that part. */
function allTold({ compactedThrough }: ToldShape, offset: LogOffset): LogOffset {
  return laterOffset(offset, compactedThrough);
}

function beforeTheLog(shape: ToldShape): TransactionStanding {
  return hasFirstRows(shape) ? { status: 'in_snapshot', offset: SNAPSHOT_END } : { status: 'passed' };
}

function hasFirstRows({ definition }: ToldShape): boolean {
  return definition.log !== 'changes_only';
}

function notYet(waitsFor: WaitsFor): TransactionStanding {
  return { status: 'not_yet', waitsFor };
}
