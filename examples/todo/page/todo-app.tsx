/** The page: a field for the next todo, how it stands with the list, and the list. */
import { useMemo, useSyncExternalStore } from 'react';
import { Failures } from './failures.tsx';
import { NewTodo } from './new-todo.tsx';
import { TodoList } from './todo-list.tsx';
import { shownTodos, type ShownTodo } from './todo.ts';
import { connection, useTodos, writes, type Followed } from './todos.ts';

export function TodoApp() {
  const followed = useTodos();
  const { pending, failed } = useSyncExternalStore(writes.subscribe, writes.current);
  const isThere = useSyncExternalStore(connection.subscribe, connection.isThere);
  const { rows } = followed;
  const todos = useMemo(() => shownTodos(rows, pending), [rows, pending]);
  return (
    <main>
      <h1>Todos</h1>
      <NewTodo />
      <p role="status" className="connection">{isThere ? '' : lost(followed)}</p>
      <Failures failed={failed} />
      {followed.failure === undefined ? <List todos={todos} isLoading={followed.isLoading} /> : <Unreadable why={followed.failure} />}
    </main>
  );
}

function lost({ isLoading }: Followed): string {
  return isLoading ? 'No connection yet. Trying again…' : 'No connection: others may have changed this list. Trying again…';
}

function List({ todos, isLoading }: { readonly todos: readonly ShownTodo[]; readonly isLoading: boolean }) {
  if (todos.length > 0) return <><TodoList todos={todos} /><Count todos={todos} /></>;
  if (isLoading) return <p className="empty">Loading…</p>;
  return <p className="empty">Nothing to do. What you add here is in every window at once.</p>;
}

function Count({ todos }: { readonly todos: readonly ShownTodo[] }) {
  const done = todos.filter((todo) => todo.done).length;
  return <p className="count">{todos.length - done} to do, {done} done</p>;
}

function Unreadable({ why }: { readonly why: string }) {
  return (
    <div role="alert" className="failure">
      <p>The list cannot be read: {why}</p>
      <button type="button" onClick={() => window.location.reload()}>Load the page again</button>
    </div>
  );
}
