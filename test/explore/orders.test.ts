/**
 * Steps that commute, taken in one order: that leaves out steps, and no state and nothing that is wrong in one. Each system without one of
 * its cures is searched here, and nowhere else: in one order, as all searches are, and in all orders beside it.
 */
import { expect, test } from 'vitest';
import { localKey } from './checker/local-process.ts';
import { search, type Orders } from './checker/search.ts';
import type { System, World } from './checker/system.ts';
import { controlSettings, withSystem, type Setting } from './systems.ts';
import { writtenOnce } from './written-once.ts';

const STATES_MAX = 300_000;
const PEACE = { kills: 0, timeouts: 0, restarts: 0 } as const;

test.each<[string, Setting]>([
  ['a hand-over', { system: 'hand-over', bounds: { ...PEACE, transactions: 1 } }],
  ['a hand-over in which somebody is killed', { system: 'hand-over', bounds: { ...PEACE, transactions: 0, kills: 1 } }],
  ['a splice', { system: 'splice', bounds: { ...PEACE, transactions: 1, script: 'both', moveOuts: 'events', crashes: 0 } }],
])('%s has the same states, at rest and under way, when steps that commute are taken in one order', async (_, setting) => {
  const { one, all } = await withSystem(setting, (system) => inBoth((orders) => statesOf(system, orders)));

  expect({ ...one, edges: one.edges + one.asleep, asleep: one.asleep > 0 }).toEqual({ ...all, asleep: true });
});

const controls = controlSettings.map((setting) => [setting.system, setting.control, setting] as const);

test.each(controls)('%s: a control in which %s is found by the property that it breaks, in all orders by as short a way', async (...of) => {
  const [, , setting] = of;

  const { one, all } = await withSystem(setting, (system) => inBoth((orders) => brokenIn(system, orders)));

  expect({ one, property: one?.property }).toEqual({ one: all, property: setting.breaks });
});

function inBoth<Result>(search: (orders: Orders) => Result) {
  return { one: search('one'), all: search('all') };
}

function brokenIn<Kind extends World<Kind>>(system: System<Kind>, orders: Orders) {
  const { counterexample } = search(system, STATES_MAX, orders);
  return counterexample && { property: counterexample.property, length: counterexample.steps.length };
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
    STATES_MAX,
    orders,
  );
  return { texts: [...texts].sort(), states, edges, asleep };
}
