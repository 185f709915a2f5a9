/** Long work on a storage, for who looks on. */
import { expect, test } from 'vitest';
import { withProgress } from '../../src/commands/storage/with-progress.ts';
import { PaperScreen } from '../support/commands/paper-screen.ts';

const SAID = { print: () => {}, complain: () => {} };

test.each([
  { of: undefined, shown: 'Verifying 3.0 MB …' },
  { of: 6_000_000, shown: 'Verifying [##########----------] 3.0 MB of 6.0 MB …' },
])('one line says how far it has come of $of, and is gone behind it, also when it fails', async ({ of, shown }) => {
  const screen = new PaperScreen(100);
  const seen: unknown[] = [];
  const work = (fails: boolean) => withProgress('Verifying', { ...SAID, screen }, async (tell) => {
    tell(3_000_000, of);
    seen.push(screen.lines);
    if (fails) throw new Error('the disk refuses');
    return 7;
  });

  const ends = [await work(false), screen.lines, await work(true).catch(String), screen.lines];

  expect({ seen, ends }).toEqual({ seen: [[shown], [shown]], ends: [7, [''], 'Error: the disk refuses', ['']] });
});

test('where nobody looks on nothing is shown', async () => {
  expect(await withProgress('Verifying', SAID, async (tell) => tell(1))).toBeUndefined();
});
