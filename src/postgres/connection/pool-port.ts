/**
 * PoolPort: opens the pools, asks them whether they work, and closes them when it ends.
 *
 * - `probe` → `pools.up` when every pool has answered a query, or `pools.down { error, fatal }`
 *
 * The pools themselves are used directly, by whoever was given them: a pool that is not open, or not any more, refuses as
 * an unreachable database does.
 */
import type { Message, Name, PortSpec } from '../../otp/process.ts';
import { isLasting, worldError } from './database-error.ts';
import type { DatabasePool } from './pool.ts';

export interface PoolPortOptions {
  readonly name?: Name;
  readonly pools: readonly DatabasePool[];
  /** Told behind each probe that finds the pools up whether a pooler lends no session. */
  readonly lending?: (isWithheld: boolean) => void;
}

export function poolPort({ name, pools, lending = () => {} }: PoolPortOptions): PortSpec {
  return {
    ...(name === undefined ? {} : { name }),
    open: () => ({
      requests: {
        async probe() {
          const answer = await probe(pools);
          if (answer.type === 'pools.up') lending(pools.some(({ isWithheld }) => isWithheld));
          return answer;
        },
      },
      close: async () => void (await Promise.all(pools.map((pool) => pool.close()))),
    }),
  };
}

async function probe(pools: readonly DatabasePool[]): Promise<Message> {
  try {
    await Promise.all(pools.map((pool) => pool.probe()));
    return { type: 'pools.up' };
  } catch (error) {
    const refused = worldError(error);
    if (refused === undefined) throw error;
    return { type: 'pools.down', error: { code: refused.code, message: refused.message }, fatal: isLasting(refused) };
  }
}
