/** A Materializer of a shape in a running service, as the Consumer of an outer shape has one started. */
import { invariant } from '../../../src/base/invariant.ts';
import { consumerOf, materializerOf } from '../../../src/actors/shape-processes.ts';
import type { Message, Name } from '../../../src/otp/process.ts';
import type { Runtime } from '../../../src/otp/runtime.ts';
import type { Handle } from '../../../src/model/shape.ts';

/** It is made for the shape cache, which neither subscribes nor ends while the service runs. */
export function askForMaterializer(runtime: Runtime, handle: string, column: string): Promise<Message> {
  const consumer = runtime.whereis(consumerOf(handle as Handle));
  const args = { handle, column, consumer, dependant: runtime.whereis('@shape-cache') };
  return runtime.call('@consumers', { type: 'startChild', template: 'materializer', args });
}

export async function startMaterializer(runtime: Runtime, handle: string, column: string): Promise<Name> {
  const answer = await askForMaterializer(runtime, handle, column);
  invariant(answer.type === 'child.started', `a Materializer starts: ${JSON.stringify(answer)}`);
  return materializerOf(handle as Handle, column);
}
