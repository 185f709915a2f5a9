/** The todos. What others write is text and nothing else, in whatever direction it runs. */
import { memo, type MouseEvent } from 'react';
import { writes } from './todos.ts';
import type { ShownTodo } from './todo.ts';

export function TodoList({ todos }: { readonly todos: readonly ShownTodo[] }) {
  return <ul className="todos">{todos.map(({ id, ...todo }) => <TodoItem key={id} id={id} {...todo} />)}</ul>;
}

/** By its values, so that a change to one todo renders one. */
const TodoItem = memo(function TodoItem({ id, title, done, isPending }: ShownTodo) {
  return (
    <li className={isPending ? 'pending' : undefined}>
      <label>
        <input type="checkbox" checked={done} onChange={() => writes.make({ kind: 'tick', id, done: !done })} />
        <bdi className={done ? 'done' : undefined}>{title}</bdi>
      </label>
      <button type="button" aria-label={`Remove ${title}`} title="Remove" onClick={(event) => remove(id, event)}>
        <svg viewBox="0 0 16 16" aria-hidden="true"><path d="M4 4l8 8M12 4l-8 8" /></svg>
      </button>
    </li>
  );
});

/** The focus goes to the neighbour's button, or to the field: whoever works by keyboard is not thrown to the top of the page. */
function remove(id: string, { currentTarget }: MouseEvent<HTMLButtonElement>): void {
  const item = currentTarget.closest('li');
  const neighbour = item?.nextElementSibling ?? item?.previousElementSibling;
  (neighbour?.querySelector('button') ?? document.getElementById('title'))?.focus();
  writes.make({ kind: 'remove', id });
}
