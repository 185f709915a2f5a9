/** Writes that were not made: nothing is lost without a word, and nothing is made again without being asked. */
import type { Change } from '../change.ts';
import { writes } from './todos.ts';
import type { FailedWrite } from './writes.ts';

export function Failures({ failed }: { readonly failed: readonly FailedWrite[] }) {
  return (
    <div role="alert">
      {failed.map((write, index) => (
        <div key={index} className="failure">
          <p>{wordsOf(write.change)}: {write.reason}</p>
          <button type="button" onClick={() => writes.retry(write)}>Try again</button>
          <button type="button" onClick={() => writes.dismiss(write)}>Leave it</button>
        </div>
      ))}
    </div>
  );
}

function wordsOf(change: Change): string {
  switch (change.kind) {
    case 'add': return `“${change.title}” was not added`;
    case 'tick': return change.done ? 'A todo was not ticked' : 'A tick was not taken back';
    case 'remove': return 'A todo was not removed';
  }
}
