/** A reader that meets damage condemns the shape before its own answer ends, so that no reader meets the same damage again. */
import type { Handle } from '../model/shape.ts';
import type { ApiPorts } from './ports.ts';

export async function* condemning(
  { logs, shapes }: Pick<ApiPorts, 'logs' | 'shapes'>,
  handle: Handle,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    const why = logs.damageOf(error);
    if (why !== undefined) await shapes.condemn(handle, why);
    throw error;
  }
}
