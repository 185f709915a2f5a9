/** A supervised counter, and a client that makes it crash: what is left, and what is new afterwards. */
import { createRuntime, describeReason, supervisor } from 'armature/otp';
import { client } from './client.ts';
import { counter, type Shelf } from './counter.ts';

let onShelf = 0;
const shelf: Shelf = {
  read: async () => onShelf,
  write: async (count) => void (onShelf = count),
};

const app = supervisor({
  strategy: 'one_for_one',
  maxRestarts: 3,
  maxSeconds: 5,
  children: [{ id: 'counter', start: () => counter(shelf) }],
});

const runtime = createRuntime();
runtime.lifecycle((record) => {
  if (record.type === 'restart') console.log(`supervisor: ${record.id} is started again, as ${record.process}`);
});

const root = await runtime.start(app, { id: 'app' });
console.log(`Before:\n${runtime.printTree()}`);

const pid = await runtime.start(client, { id: 'client' });
console.log(`The client ended: ${describeReason(await runtime.whenDown(pid))}`);

console.log(`After:\n${runtime.printTree()}`);
console.log('Asked from outside:', await runtime.call('@counter', { type: 'read' }));
console.log(`Stopped: ${describeReason(await runtime.stop(root))}`);
