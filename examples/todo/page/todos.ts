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
  onError: () => {}, // It is shown: `failure`.
  backoffOptions: { initialDelay: 250, maxDelay: 3_000, multiplier: 1.5 },
};

const stream = getShapeStream<Todo>(SHAPE);
stream.subscribe(writes.take);
// A stream that was open when the network went may look open for long. (Refused: it has ended, or waits for its tab to be seen.)
window.addEventListener('online', () => void stream.forceDisconnectAndRefresh().catch(() => {}));

export interface Followed {
  readonly rows: readonly Todo[];
  /** Nothing has come yet. */
  readonly isLoading: boolean;
  /** Why it is not followed any more: nothing mends that by itself. */
  readonly failure: string | undefined;
}

export function useTodos(): Followed {
  const { data, isLoading, error } = useShape<Todo>(SHAPE);
  return { rows: data, isLoading, failure: error === false ? undefined : wordsOf(error) };
}

/** Armature's own, where it had some. */
function wordsOf({ json = {}, message }: { readonly json?: object | undefined; readonly message: string }): string {
  const told: { readonly message?: string; readonly errors?: Readonly<Record<string, readonly string[]>> } = json;
  return told.errors === undefined ? (told.message ?? message) : Object.values(told.errors).flat().join(' ');
}
