/**
 * TakenAtOnce: what the processes of a hand-over take before anything else happens. Whatever could come before it could as well come
 * behind it; so a search that waits with it sees more states, and nothing else that is wrong.
 *
 * `taken-at-once.test.ts` holds each of these claims against searches in which every order is tried.
 */
import type { Address, Pid } from '../../../src/otp/process.ts';
import type { Alive, Unborn } from '../checker/local.ts';
import type { Signal, UnderWay } from '../checker/signal.ts';
import type { AtOnce } from '../checker/system.ts';
import { CONSUMER, type HandOverModel } from './hand-over-model.ts';
import { isLastToFollow } from './late-kills.ts';

type Taken = AtOnce<HandOverModel> | undefined;

/**
 * The log has grown, by a transaction that the shape's snapshot came before. Nobody looks at how much is committed any more but the
 * collector, which is told: so that it hears of it late is the same as that it was committed late.
 */
export function takenByCollector(_: Alive | Unborn, underWay: readonly UnderWay[]): Taken {
  const told = nextFrom('@stream', underWay);
  if (told?.kind !== 'message') return undefined;
  const lsn = BigInt(String(told.message['lsn']));
  return { from: '@stream', over: ({ is: { pgSnapshot } }) => pgSnapshot !== undefined && lsn > BigInt(pgSnapshot.insertLsn) };
}

/**
 * - It begins. That it began late is the same as that it was started late.
 * - It is to drain. That it hears of it late is the same as that it was asked late.
 * - It hears that its Snapshotter was started, and watches it from then on. The word of that one's end comes behind all that it has sent,
 *   whenever it was begun to watch; it may come late, and what it says of the reason is all the same.
 * - It hears that its Snapshotter was killed: as late as that may be, it could have been killed as late. Nobody else hears of it. And of
 *   its Materializer the same, unless another one may follow meanwhile: then that would hang on it too.
 * - Its snapshot is complete, and it hears that its Snapshotter has ended, however. That is all the same to it from then on in every state,
 *   and it asks nobody about that Snapshotter. Or it is asked whether the snapshot has started. It says so and notes nothing; and whoever
 *   has asked hears of its end behind that answer in the same way as without it.
 */
export function takenByConsumer(local: Alive | Unborn, underWay: readonly UnderWay[]): Taken {
  if (local.status === 'unborn') return BEGINNING;
  const teller = (['@shape-cache', '@supervisor'] as const).find((from) => nextFrom(from, underWay) !== undefined);
  if (teller !== undefined) return { from: teller };
  const { running }: { readonly running?: { readonly snapshot?: unknown } } = Object(local.snapshot.value);
  const isComplete = running?.snapshot === 'complete';
  return tellerOfKill(local.pid, underWay) ?? (isComplete ? tellerWhenComplete(underWay) : undefined);
}

function tellerOfKill(self: Pid, underWay: readonly UnderWay[]): Taken {
  const killed = underWay.filter(({ signals: [next] }) => next?.kind === 'down' && (next.reason === 'killed' || next.reason === 'noproc'));
  const materializer = tellerOfDown(killed, 'materializer');
  return materializer !== undefined && isLastToFollow(materializer.from, self) ? materializer : tellerOfDown(killed, 'snapshotter');
}

function tellerWhenComplete(underWay: readonly UnderWay[]): Taken {
  return tellerOfDown(underWay, 'snapshotter') ?? tellerOf(underWay, 'awaitSnapshotStart');
}

/**
 * - It begins, and what it asks for may come late.
 * - Its query was answered, and it hears that its Consumer has ended. Whatever it took before that it would pass on to this Consumer, to
 *   whom nothing comes any more; and it ends with all of it. (While its query is under way it does not hurry: that may still be taken,
 *   and change the shape.)
 */
export function takenBySnapshotter({ status }: Alive | Unborn, underWay: readonly UnderWay[]): Taken {
  if (status === 'unborn') return BEGINNING;
  const isAnswered = underWay.some(({ from, signals }) => from === '@snapshots' && signals.at(-1)?.kind === 'reply');
  return isAnswered ? tellerOfDown(underWay, 'consumer') : undefined;
}

/**
 * - It begins. What it asks its Consumer for may come late, and so may the word that this one has ended.
 * - It hears that the Consumer has ended which it follows by its pid. Only that one and those whom it asks send to it, and what these have
 *   brought it would take for nobody. Of what it does then it tells nobody but the directory, to whom that may come late; and what it gives
 *   back is its own.
 * - It hears from that Consumer that the snapshot has started, or from the directory what has become of the shape. Nothing else could come
 *   first; and what it asks for then may come late, or it ends.
 * - It follows an announcement, and gets what it has asked its reader for. Until it has answered nobody sends it anything but the word that
 *   its Consumer has ended; and then it ends in the same way whether it had that block or not.
 */
export function takenByMaterializer(local: Alive | Unborn, underWay: readonly UnderWay[]): Taken {
  if (local.status === 'unborn') return BEGINNING;
  const { live }: { readonly live?: object } = Object(local.snapshot.value);
  if (Object(live).following !== undefined && nextFrom('@shape-reader', underWay) !== undefined) return { from: '@shape-reader' };
  const { consumer }: { readonly consumer?: unknown } = Object(local.snapshot.context);
  if (consumer === CONSUMER) return undefined;
  const told = tellerOf(underWay, 'handle.isKept') ?? tellerOf(underWay, 'handle.isGone');
  if (told !== undefined) return told;
  const teller = tellerOf(underWay, 'snapshot.isStarted') ?? tellerOfDown(underWay, 'consumer');
  return teller?.from === consumer ? teller : undefined;
}

const BEGINNING: Taken = { from: '@supervisor' };

function nextFrom(sender: Address, underWay: readonly UnderWay[]): Signal | undefined {
  return underWay.find(({ from }) => from === sender)?.signals[0];
}

/** Who sends next a request or an answer of this type. */
function tellerOf(underWay: readonly UnderWay[], type: string): Taken {
  const teller = underWay.find(({ signals: [next] }) => (next?.kind === 'message' || next?.kind === 'reply') && next.message.type === type);
  return teller && { from: teller.from };
}

/** Who tells next that `as` is down. */
function tellerOfDown(underWay: readonly UnderWay[], as: string): Taken {
  const teller = underWay.find(({ signals: [next] }) => next?.kind === 'down' && next.monitor.as === as);
  return teller && { from: teller.from };
}
