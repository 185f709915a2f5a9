/**
 * MoveQueryPort: asks which rows come into a shape, or leave it, when the values that it looks up have moved.
 *
 * - `queryMoves { handle, views }`, the views after the moves, → `moves.queried { pgSnapshot, rows }`, the rows durable where the
 *   target put them; or `moves.failed { error }`: nothing counts of what was read; or `moves.crashed { error }`: a bug of ours met the
 *   shape's values, filter or rows, and is for the process whose they are
 */
import { withEither } from './either-signal.ts';
import type { LogOffset } from '../../model/log-offset.ts';
import type { Handle } from '../../model/shape.ts';
import type { Name, PortSpec } from '../../otp/process.ts';
import { MoveQueries, type MoveQueryOptions } from './move-queries.ts';

export function moveQueryPort({ name, ...options }: MoveQueryOptions & { readonly name?: Name }): PortSpec {
  return {
    ...(name === undefined ? {} : { name }),
    open(context) {
      const queries = new MoveQueries(options, context.exit);
      return {
        requests: {
          queryMoves: ({ handle, views }, asked) =>
            withEither([asked, context.signal], (signal) => queries.ask(handle as Handle, views as readonly LogOffset[], signal)),
        },
      };
    },
  };
}
