/** Power cuts at any point: what was promised is there, the rest is a prefix, nothing comes twice. Further: `npm run torture:storage`. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CrashWorld, type Step } from './crash-world.ts';

const transaction: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('transaction' as const),
  fragments: fc.integer({ min: 1, max: 3 }),
  bytes: fc.integer({ min: 0, max: 150 }),
});
const crash: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('crash' as const),
  during: fc.constantFrom('nothing', 'sync', 'create', 'delete', 'checkpoint'),
  turns: fc.integer({ min: 0, max: 80 }),
});
const plain = (name: 'open transaction' | 'sync' | 'create' | 'apply' | 'apply but the new' | 'checkpoint' | 'delete' | 'read') =>
  fc.constant<Step>({ do: name });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: transaction },
  { weight: 1, arbitrary: plain('open transaction') },
  { weight: 2, arbitrary: plain('sync') },
  { weight: 3, arbitrary: plain('create') },
  { weight: 5, arbitrary: plain('apply') },
  { weight: 2, arbitrary: plain('apply but the new') },
  { weight: 4, arbitrary: plain('checkpoint') },
  { weight: 1, arbitrary: plain('delete') },
  { weight: 3, arbitrary: plain('read') },
  { weight: 3, arbitrary: crash },
);

test('a power cut at any point loses nothing that was promised, and doubles nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), fc.nat(), async (steps, seed) => {
      expect(await CrashWorld.fresh(seed).run(steps)).toEqual([]);
    }),
    { numRuns: 100 },
  );
});
