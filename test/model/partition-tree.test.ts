/** Whether rows came or went with partitions, by what was kept, by what the catalogue has, and by what the stream told in between. */
import { expect, test } from 'vitest';
import type { PartitionLink } from '../../src/model/partition-link.ts';
import { lookedAtTree, type FoundLink } from '../../src/model/partition-tree.ts';
import { memoryLog } from '../../src/storage/log/memory-log.ts';

const ROOT = 1;
const first: PartitionLink = { child: 2, parent: ROOT, since: 10 };
const born: FoundLink = { child: 3, parent: ROOT, since: 20, isBorn: true };
const found = ({ child, parent, since }: PartitionLink): FoundLink => ({ child, parent, since, isBorn: false });
const known = found(first);

/** What each look says, one after the other; what the stream told before a look stands in front of it. */
function looks(...steps: readonly (readonly FoundLink[] | { readonly told: readonly PartitionLink[] })[]): readonly number[] {
  const log = memoryLog();
  return steps.flatMap((step, index) => {
    if (!('told' in step)) return [lookedAtTree(log, ROOT, step, log.lastLayoutId, index).turnedMicros];
    log.appendLayout({ oid: 99, schema: 'public', name: `told_${index}`, columns: [], links: step.told });
    return [];
  });
}

const { isBorn: _, ...bornLink } = born;
const above: PartitionLink = { child: ROOT, parent: 9, since: 1 };

test.each([
  ['nothing changed', looks([known], [known]), [0, 0]],
  ['what was made as a partition had no rows', looks([known], [known, born], [known, born]), [0, 0, 0]],
  ['what was attached brought its rows, and was told once', looks([known], [known, found(bornLink)], [known, found(bornLink)]), [0, 1, 1]],
  ['what is gone took its rows', looks([known], []), [0, 1]],
  ['what was attached again is another', looks([known], [{ ...known, since: 11 }]), [0, 1]],
  ['what was made, and seen, and is gone', looks([known], [known, born], [known]), [0, 0, 2]],
  ['what was made, and told, and is gone before it was seen', looks([known], { told: [bornLink] }, [known]), [0, 2]],
  ['what was made and told is there', looks([known], { told: [bornLink] }, [known, born], [known, born]), [0, 0, 0]],
  ['what was told before the first look and was gone by then', looks({ told: [bornLink] }, [known], [known]), [0, 0]],
  ['what was told of a table beside', looks([known], { told: [{ child: 5, parent: 4, since: 1 }] }, [known]), [0, 0]],
  ['of what was told above the table nothing is asked', looks([known], { told: [first, above] }, [known]), [0, 0]],
])('%s', (_title, told, expected) => {
  expect(told).toEqual(expected);
});
