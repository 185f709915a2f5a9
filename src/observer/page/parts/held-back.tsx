/** HeldBack: which shape keeps our transaction log from being released. Postgres's WAL it does not keep. */
import type { PinnedBy } from '../../views/shapes.ts';
import { addressOf, Link } from '../navigation.tsx';

export function HeldBack({ by }: { readonly by: PinnedBy | null }) {
  if (by === null) return null;
  return (
    <p class="note warm">
      The shape <Link to={addressOf('shape', { handle: by.handle })}>{by.handle}</Link> is furthest behind: it holds our
      transaction log back.
    </p>
  );
}
