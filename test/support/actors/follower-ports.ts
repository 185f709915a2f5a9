/** What a Materializer's table reaches outside, over blocks that somebody puts there. */
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import { compareOffsets, type LogOffset } from '../../../src/model/log-offset.ts';
import { handleOf } from '../shapes.ts';
import { MemberIndex } from '../../../src/shapes/member-index.ts';
import type { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';

/** Who the blocks are read for. */
export const FOLLOWER = 'follower';
/** Of the dependants the one that has the oldest view. */
export const LAGGARD = handleOf(9);

export function followerPorts(
  blocks: ShapeBlocks,
  oldestView: () => LogOffset | undefined = () => undefined,
  members = new MemberIndex(),
  hasPrimaryKey = true,
): MaterializerPorts {
  blocks.open(FOLLOWER);
  return portsOver(blocks, oldestView, members, hasPrimaryKey);
}

function portsOver(
  blocks: ShapeBlocks,
  oldestView: () => LogOffset | undefined,
  members: MemberIndex,
  hasPrimaryKey: boolean,
): MaterializerPorts {
  return {
    take: (range) => blocks.take(FOLLOWER, range),
    close: () => blocks.close(FOLLOWER),
    oldestView,
    dependantsBefore(version) {
      const view = oldestView();
      return view !== undefined && compareOffsets(view, version) < 0 ? [LAGGARD] : [];
    },
    hasPrimaryKey,
    isPartitioned: () => false,
    listing: members.listing('1-1/value'),
    clone: (fork) => portsOver(blocks.clone(fork), oldestView, new MemberIndex(), hasPrimaryKey),
  };
}
