/** Todos as the shape brings them, and as the page shows them: with what was done here and is not in the shape yet. */
import type { Change } from '../change.ts';

/** A row. (A type, not an interface: the client wants rows to be records.) */
export type Todo = {
  readonly id: string;
  readonly title: string;
  readonly done: boolean;
  /** As Postgres writes it, in UTC: texts stand in the order of the moments. */
  readonly created_at: string;
};

export interface ShownTodo extends Pick<Todo, 'id' | 'title' | 'done'> {
  /** Something was done to it here that the shape has not brought yet. */
  readonly isPending: boolean;
}

/** Newest first; `changes` in the order in which they were made. A change that the shape has brought meanwhile changes nothing. */
export function shownTodos(rows: readonly Todo[], changes: readonly Change[]): readonly ShownTodo[] {
  const sorted = [...rows].sort(newestFirst).map(({ id, title, done }) => ({ id, title, done, isPending: false }));
  return changes.reduce(withChange, sorted);
}

function withChange(todos: readonly ShownTodo[], change: Change): readonly ShownTodo[] {
  const { id } = change;
  switch (change.kind) {
    case 'add': return todos.some((todo) => todo.id === id) ? todos : [{ id, title: change.title, done: false, isPending: true }, ...todos];
    case 'tick': return todos.map((todo) => (todo.id === id ? { ...todo, done: change.done, isPending: true } : todo));
    case 'remove': return todos.filter((todo) => todo.id !== id);
  }
}

function newestFirst(one: Todo, other: Todo): number {
  if (one.created_at !== other.created_at) return one.created_at < other.created_at ? 1 : -1;
  return one.id < other.id ? 1 : -1;
}
