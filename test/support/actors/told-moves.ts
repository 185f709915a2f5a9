/** What a Consumer's table says while it tells the moves of a splice, to the answer that none is left. */
import type { ConsumerLog } from '../../../src/actors/consumer/consumer-log.ts';
import type { Message } from '../../../src/otp/process.ts';

export function toldMoves(log: ConsumerLog, change: 'tellMoveIn' | 'tellMoveOut'): readonly (Message | undefined)[] {
  const told = log.apply(change);
  return told?.type === 'moves.partlyTold' ? [told, ...toldMoves(log, change)] : [told];
}
