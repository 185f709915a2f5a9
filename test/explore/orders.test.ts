/**
 * Steps that commute, taken in one order: that leaves out steps, and no state and nothing that is wrong in one. Each system without one of
 * its cures is searched here, and nowhere else: in one order, as all searches are, and where that is soon over in all orders beside it.
 * `npm run explore:orders` does both for each.
 */
import { expect, test } from 'vitest';
import { brokenIn, inBoth, ORDERS_STATES_MAX } from './both-orders.ts';
import { localKey } from './checker/local-process.ts';
import { search, type Orders } from './checker/search.ts';
import type { System, World } from './checker/system.ts';
import { controlSettings, withSystem, type Setting } from './systems.ts';
import { writtenOnce } from './written-once.ts';

const PEACE = { kills: 0, timeouts: 0, restarts: 0 } as const;
/** Of five thousand states and more. */
const LONG_CONTROLS: ReadonlySet<string> = new Set([
  'history is read without an upper bound', 'an offset is handed out before it can be read',
  'a table gives nothing back at the end of its owner', 'a Consumer is followed by its name',
  'a splice is recorded before what its query saw has come', 'what a query saw is told by position',
  'changes are routed by the last version alone', 'whether NULL is selected is asked of the last version alone',
  'values are kept for the one that has come furthest',
  'where a splice that brought no line stood is not known to the next Consumer',
  'blocks are routed to a shape that comes back before the values have come as far as it was',
  'a table is published for a shape that is gone',
  'what touches a shape is not heard while its Consumer falls asleep', 'a shape that sleeps passes what touches it',
]);

test.each<[string, Setting]>([
  ['a hand-over', { system: 'hand-over', bounds: { ...PEACE, transactions: 1 } }],
  ['a hand-over in which somebody is killed', { system: 'hand-over', bounds: { ...PEACE, transactions: 0, kills: 1 } }],
  ['a splice', { system: 'splice', bounds: { ...PEACE, transactions: 1, script: 'both', moveOuts: 'events', crashes: 0 } }],
])('%s has the same states, at rest and under way, when steps that commute are taken in one order', async (_, setting) => {
  const { one, all } = await withSystem(setting, (system) => inBoth((orders) => statesOf(system, orders)));

  expect({ ...one, edges: one.edges + one.asleep, asleep: one.asleep > 0 }).toEqual({ ...all, asleep: true });
});

const controls = controlSettings.map((setting) => [setting.system, setting.control, setting] as const);

test.each(controls.filter(isSoonOver))(
  '%s: a control in which %s is found by the property that it breaks, in all orders by as short a way',
  async (...[, , setting]) => {
    const { one, all } = await withSystem(setting, (system) => inBoth((orders) => brokenIn(system, orders)));

    expect({ one, property: one?.property }).toEqual({ one: all, property: setting.breaks });
  },
);

test.each(controls.filter((control) => !isSoonOver(control)))(
  '%s: a control in which %s is found by the property that it breaks',
  async (...[, , setting]) => {
    const broken = await withSystem(setting, (system) => brokenIn(system, 'one'));

    expect(broken?.property).toBe(setting.breaks);
  },
);

function isSoonOver([, control]: (typeof controls)[number]): boolean {
  return !LONG_CONTROLS.has(control ?? '');
}

/** In words, as far as a property looks at a state; sorted. */
function statesOf<Kind extends World<Kind>>(system: System<Kind>, orders: Orders) {
  const texts = new Set<string>();
  const [localText, worldText] = [writtenOnce(localKey), writtenOnce((world: Kind) => world.key())];
  const { states, edges, asleep } = search<Kind>(
    {
      ...system,
      violation(view, isQuiet) {
        const locals = system.roles.map(({ name }) => localText(view.process(name)));
        texts.add(JSON.stringify([isQuiet, worldText(view.world), view.happened, ...locals]));
        return system.violation(view, isQuiet);
      },
    },
    ORDERS_STATES_MAX,
    orders,
  );
  return { texts: [...texts].sort(), states, edges, asleep };
}
