/** Stand-ins of ports that every searched world has: they answer from what the world knows. */
import type { EntryPlace } from '../../src/model/log-entry.ts';
import type { LogOffset } from '../../src/model/log-offset.ts';
import type { Pid } from '../../src/otp/process.ts';
import type { Port } from './checker/system.ts';

interface BlockAsked {
  readonly owner: Pid;
  readonly after: EntryPlace;
  readonly through: LogOffset;
}

/** Has a shape's log, of which a follower reads. */
interface WithHistory {
  /** @returns where the block ends that lies ready for `owner`; undefined when the shape is gone. */
  readHistory(owner: Pid, after: EntryPlace, through: LogOffset): EntryPlace | undefined;
}

/** What can be read up to an offset that was given out stays as it is, until the shape goes; and of that a DOWN tells. */
export const shapeReader: Port<WithHistory> = {
  name: '@shape-reader',
  computes: 'asked',
  handle(world, request) {
    const { owner, after, through } = request as unknown as BlockAsked;
    const end = world.readHistory(owner, after, through);
    return { reply: end === undefined ? { type: 'history.isGone' } : { type: 'history.blockRead', after, through: end } };
  },
};

/** Nothing lies on a disk. */
export const checkpoints: Port<unknown> = {
  name: '@checkpoints',
  computes: 'asked',
  handle: () => ({ reply: { type: 'lines.spilled' } }),
};
