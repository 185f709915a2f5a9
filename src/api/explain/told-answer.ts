/** ToldAnswer: what is told about a shape, in JSON, to whoever wonders. Nobody may keep it: it is of the moment. */
import type { ApiPorts } from '../ports.ts';
import type { Handle } from '../../model/shape.ts';
import { notReady, shapeGone, type Refusal } from '../refusal.ts';
import { AbandonedError } from './log-searches.ts';

export interface ToldAnswer {
  readonly kind: 'told';
  readonly status: 200 | 202 | 404 | 410;
  /** JSON. */
  readonly body: string;
}

export function told(status: ToldAnswer['status'], body: unknown): ToldAnswer {
  return { kind: 'told', status, body: JSON.stringify(body) };
}

/** A log may end, or be found damaged, while it is looked through: then there is no such shape any more. */
export async function unlessGone<Answer>(
  { logs, shapes }: Pick<ApiPorts, 'logs' | 'shapes'>,
  handle: Handle,
  look: () => Promise<Answer>,
): Promise<Answer | Refusal> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof AbandonedError) return notReady({ message: 'nobody waits for the answer' });
    const damage = logs.damageOf(error);
    if (damage === undefined && !logs.isGone(error)) throw error;
    if (damage !== undefined) await shapes.condemn(handle, damage);
    return shapeGone();
  }
}
