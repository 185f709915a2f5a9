/** What a Materializer's table reaches outside, over blocks that somebody puts there. */
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { MemberIndex } from '../../../src/shapes/member-index.ts';
import type { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';

/** Who the blocks are read for. */
export const FOLLOWER = 'follower';

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
    hasPrimaryKey,
    listing: members.listing('1-1/value'),
    clone: (fork) => portsOver(blocks.clone(fork), oldestView, new MemberIndex(), hasPrimaryKey),
  };
}
