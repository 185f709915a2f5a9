/** FollowedShape: a shape for the program around the service, which follows it without a socket. */
import { subscribedRows } from '../api/subscribed-rows.ts';
import type { Row, ShapeMessage } from '../api/shape-message.ts';
import { subscription, type SubscriptionPorts } from '../api/shape-subscription.ts';
import type { RawParameters } from '../api/shape-parameters.ts';
import type { ParameterValue } from '../http/web/handler-types.ts';

/** Which shape, as a request says it. */
export interface ShapeOptions {
  /** `issues`, `"Order"`, `app.issues`. */
  readonly table: string;
  /** Default: every row. */
  readonly where?: string;
  /** The values of `$1`, `$2`, … in their order. */
  readonly params?: readonly ParameterValue[];
  /** Names of columns, the primary key among them. Default: all. */
  readonly columns?: readonly string[];
  /** `full`: updates and deletes tell the whole row. Default: `default`. */
  readonly replica?: 'default' | 'full';
  /** Ends what follows it, in good order. */
  readonly signal?: AbortSignal;
}

/**
 * A shape, to be followed as often as wanted: each `for await` begins with the first row, and goes on with every change until it is left,
 * until `signal`, or until the service ends. A row that leaves with what a subquery selects is told by a delete.
 *
 * It throws `ShapeRequestError` where the shape is refused. While the service cannot answer it waits.
 */
export interface FollowedShape extends AsyncIterable<ShapeMessage> {
  /**
   * Its rows by their keys, whenever they are whole again. It is one map, which changes when it is yielded again: whoever keeps it copies
   * it. Nobody else holds rows in memory.
   */
  rows(): AsyncIterable<ReadonlyMap<string, Row>>;
}

export function followedShape(ports: SubscriptionPorts, { signal, ...options }: ShapeOptions, ended: AbortSignal): FollowedShape {
  const parameters = parametersOf(options);
  const signals = signal === undefined ? [ended] : [ended, signal];
  const messages = (leaving: AbortSignal) => subscription(ports, parameters, AbortSignal.any([...signals, leaving]));
  return { ...left(messages), rows: () => left((leaving) => subscribedRows(messages(leaving))) };
}

function parametersOf({ table, where, params = [], columns, replica }: ShapeOptions): RawParameters {
  const numbered = Object.fromEntries(params.map((value, index) => [index + 1, String(value)]));
  return { table, where, params: numbered, columns, replica, move_outs: 'deletes' };
}

/** Who leaves while he waits for the next one waits no longer. */
function left<Item>(begin: (leaving: AbortSignal) => AsyncGenerator<Item, void, undefined>): AsyncIterable<Item> {
  return {
    [Symbol.asyncIterator]() {
      const leaving = new AbortController();
      const items = begin(leaving.signal);
      return {
        next: () => items.next(),
        return() {
          leaving.abort();
          return items.return();
        },
      };
    },
  };
}
