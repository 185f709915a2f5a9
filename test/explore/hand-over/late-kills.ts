/**
 * LateKills: in which states of a hand-over it makes a difference that somebody is killed there, and not later.
 *
 * Of a Snapshotter or a Materializer that is killed only its Consumer hears. Until then, one that was killed is one that does nothing:
 * what is sent to it is lost with it later as well, and what it had asked for is given up then. So it is killed when the Consumer can hear
 * of that next, and `taken-at-once.ts` has it hear at once.
 */
import type { ViewOfMail } from '../checker/system.ts';
import { CONSUMER, type HandOverModel } from './hand-over-model.ts';

/**
 * - The Consumer: always, since many hear of its end, each when it will. And whoever follows it by its name, not by its pid.
 * - The others: not when their Consumer has ended. They hear of that, and it ends them as a kill would. And not while the Consumer is busy
 *   with what it has told itself, since it can hear of nothing.
 * - Nor while something is under way from them to the Consumer, which hears that first; unless another Materializer may follow meanwhile,
 *   which happens only when the one before has ended.
 */
export function isKilledHere(view: ViewOfMail<HandOverModel>, victim: string): boolean {
  const [consumer, local] = [view.process('consumer'), view.process(victim)];
  if (victim === 'consumer' || consumer.status === 'absent' || local.status !== 'alive') return true;
  const { consumer: followed }: { readonly consumer?: unknown } = Object(local.snapshot.context);
  if (followed === CONSUMER) return true;
  if (followed !== consumer.pid || consumer.status === 'dead') return false;
  if (consumer.status === 'alive' && consumer.urgent.length > 0) return false;
  const canBeFollowed = victim === 'materializer' && !isLastToFollow(local.pid, consumer.pid);
  return canBeFollowed || view.mailOf('consumer').every(({ from }) => from !== local.pid);
}

/** Whether no other Materializer can follow this Consumer: there was one more for each Consumer that has returned. */
export function isLastToFollow(materializer: string, consumer: string): boolean {
  return incarnationOf(materializer) >= incarnationOf(consumer);
}

function incarnationOf(pid: string): number {
  return Number(pid.slice(pid.indexOf('#') + 1));
}
