/** What stands in a queue by its own links comes out of it in the order of its time, whatever leaves in between. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DueQueue, type Due } from '../../src/base/due-queue.ts';

class Thing implements Due<Thing> {
  before: Thing | undefined;
  behind: Thing | undefined;

  constructor(
    readonly name: number,
    readonly dueMs: number,
  ) {}
}

const step = fc.oneof(
  fc.record({ type: fc.constant('add' as const), dueMs: fc.nat(5) }),
  fc.record({ type: fc.constant('remove' as const), which: fc.nat(20) }),
  fc.record({ type: fc.constant('shift' as const) }),
);

test('it is what a list would be that is sorted by due times, and in which the first to come stands first', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new DueQueue<Thing>();
      let model: readonly Thing[] = [];
      steps.forEach((each, name) => {
        if (each.type === 'add') {
          const thing = new Thing(name, each.dueMs);
          queue.add(thing);
          model = [...model, thing].toSorted((left, right) => left.dueMs - right.dueMs);
        } else {
          const gone = each.type === 'shift' ? model[0] : model[each.which];
          if (each.type === 'shift') expect(queue.shift()).toBe(gone);
          else if (gone !== undefined) queue.remove(gone);
          model = model.filter((thing) => thing !== gone);
        }
        expect([queue.size, queue.head]).toEqual([model.length, model[0]]);
      });
      const left = model.map(() => queue.shift());
      expect(left.map((thing) => [thing?.name, thing?.before, thing?.behind])).toEqual(
        model.map(({ name }) => [name, undefined, undefined]),
      );
    }),
  );
});
