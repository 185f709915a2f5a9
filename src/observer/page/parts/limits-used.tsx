/** LimitsUsed: how much of the limits that are set is used, and what they have ended or refused last. */
import type { LimitEventsView, LimitsView } from '../../views/shapes.ts';
import { bytes, count, counted } from '../format.ts';

export function LimitsUsed({ limits }: { readonly limits: LimitsView | null }) {
  if (limits === null) return null;
  const { shapes, bytes: size, unreadSeconds, ended, refused } = limits;
  const parts = [
    ...(shapes.limit === undefined ? [] : [`${shapes.used === undefined ? '–' : count(shapes.used)} of ${counted(shapes.limit, 'shape')}`]),
    ...(size.limit === undefined ? [] : [`${size.used === undefined ? '–' : bytes(size.used)} of ${bytes(size.limit)}`]),
    ...(unreadSeconds === undefined ? [] : [`unread for ${counted(unreadSeconds.limit, 'second')} at the most`]),
    ...told('ended', ended),
    ...told('refused', refused),
  ];
  return <p class={refused.count > 0 ? 'note warm' : 'note'}>Limits: {parts.join('; ')}.</p>;
}

function told(what: string, { count: times, lastAt, lastWhy }: LimitEventsView): readonly string[] {
  if (times === 0 || lastAt === undefined) return [];
  return [`${count(times)} ${what}, the last at ${lastAt.slice(0, 19).replace('T', ' ')}${lastWhy === undefined ? '' : ` (${lastWhy})`}`];
}
