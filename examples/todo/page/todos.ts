/** The list of todos, followed by this page, and what this page writes into it. */
import { getShapeStream, useShape } from '@electric-sql/react';
import { sendChange } from './browser.ts';
import { Connection } from './connection.ts';
import type { Todo } from './todo.ts';
import { Writes } from './writes.ts';

export const connection = new Connection(window);
export const writes = new Writes(sendChange);

/** The app's server knows which table and columns. An event stream, so that an answer comes as soon as there is a server again. */
const SHAPE = {
  url: new URL('/shapes/todos', window.location.href).href,
  liveSse: true,
  warnOnHttp: false, // Of too few connections: a window has one, and a browser has six for those that are seen.
  fetchClient: connection.fetch,
  backoffOptions: { initialDelay: 250, maxDelay: 3_000, multiplier: 1.5 },
};

getShapeStream<Todo>(SHAPE).subscribe(writes.take);

export interface Followed {
  readonly rows: readonly Todo[];
  /** Nothing has come yet. */
  readonly isLoading: boolean;
  /** Why it is not followed any more. */
  readonly failure: string | undefined;
}

export function useTodos(): Followed {
  const { data, isLoading, error } = useShape<Todo>(SHAPE);
  return { rows: data, isLoading, failure: error === false ? undefined : error.message };
}
