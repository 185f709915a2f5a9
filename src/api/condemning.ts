/**
 * A body as it goes to a reader. The shape is in use with each piece, however slowly they go: no limit takes it under its reader. And a
 * reader that meets damage condemns the shape before its own answer ends, so that no reader meets the same damage again.
 */
import type { Handle } from '../model/shape.ts';
import type { ReadableLogs, ServedShapes } from './ports.ts';

interface Ports {
  readonly logs: Pick<ReadableLogs, 'damageOf'>;
  readonly shapes: Pick<ServedShapes, 'condemn' | 'noteReader'>;
}

export async function* condemning({ logs, shapes }: Ports, handle: Handle, body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body) {
      shapes.noteReader(handle);
      yield piece;
    }
  } catch (error) {
    const why = logs.damageOf(error);
    if (why !== undefined) await shapes.condemn(handle, why);
    throw error;
  }
}
