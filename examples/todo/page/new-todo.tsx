/** The field for the next todo. It stays where it is: several can be written one after the other. */
import { useState, type FormEvent } from 'react';
import { TITLE_LENGTH_MAX } from '../change.ts';
import { newId } from './browser.ts';
import { writes } from './todos.ts';

export function NewTodo() {
  const [title, setTitle] = useState('');
  const add = (event: FormEvent): void => {
    event.preventDefault();
    if (title.trim() === '') return;
    writes.make({ kind: 'add', id: newId(), title: title.trim() });
    setTitle('');
  };
  return (
    <form className="new" onSubmit={add}>
      <label htmlFor="title" className="hidden">What is to be done?</label>
      <input
        id="title"
        value={title}
        onChange={(event) => setTitle(event.target.value)}
        placeholder="What is to be done?"
        maxLength={TITLE_LENGTH_MAX}
        autoComplete="off"
        autoFocus
      />
      <button type="submit">Add</button>
    </form>
  );
}
