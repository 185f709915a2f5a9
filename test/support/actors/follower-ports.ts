/** What a Materializer's table reaches outside, over blocks that somebody puts there. */
import type { MaterializerPorts } from '../../../src/actors/materializer-ports.ts';
import type { LogOffset } from '../../../src/model/log-offset.ts';
import { MemberIndex } from '../../../src/shapes/member-index.ts';
import type { ShapeBlocks } from '../../../src/storage/shapes/shape-blocks.ts';

export function followerPorts(
  blocks: ShapeBlocks,
  oldestView: () => LogOffset | undefined = () => undefined,
  members = new MemberIndex(),
  hasPrimaryKey = true,
): MaterializerPorts {
  return {
    take: (...asked) => blocks.take(...asked),
    oldestView,
    hasPrimaryKey,
    listing: members.listing('1-1/value'),
    clone: (fork) => followerPorts(blocks.clone(fork), oldestView, new MemberIndex(), hasPrimaryKey),
  };
}
