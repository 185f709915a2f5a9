/** Pages: one page of a long list after the other; another question begins with its first. */
import { useState } from 'preact/hooks';

/** @returns behind what the page begins, and what turns to another. */
export function usePages(question: string): readonly [after: string, turn: (after: string) => void] {
  const [page, setPage] = useState({ question, after: '' });
  return [page.question === question ? page.after : '', (after) => setPage({ question, after })];
}

interface PagesProps {
  readonly after: string;
  readonly next: string | null;
  readonly turn: (after: string) => void;
}

export function Pages({ after, next, turn }: PagesProps) {
  if (after === '' && next === null) return null;
  return (
    <nav class="bar" aria-label="Pages">
      <button type="button" disabled={after === ''} onClick={() => turn('')}>First page</button>
      <button type="button" disabled={next === null} onClick={() => turn(next ?? '')}>Next page</button>
    </nav>
  );
}
