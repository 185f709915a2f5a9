/** Uses a processor for nothing from `{ spin: 1 }` until `{ spin: 0 }`: what is left of a machine that has other work. */
import { MessageChannel } from 'node:worker_threads';

const ROUNDS = 100_000;
const turns = new MessageChannel();
let isSpinning = false;
let turned = 0;

turns.port1.on('message', spin);
process.on('message', ({ spin: told }: { spin: number }) => {
  const wasSpinning = isSpinning;
  isSpinning = told === 1;
  if (isSpinning && !wasSpinning) spin();
});
process.send?.({ ready: 1 });

/** A turn is short, so that it hears when it should stop. */
function spin(): void {
  for (let round = 0; round < ROUNDS; round += 1) turned = (turned * 31 + round) % 1_000_003;
  if (isSpinning) turns.port2.postMessage(turned);
}
