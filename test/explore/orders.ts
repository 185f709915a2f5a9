/**
 * `npm run explore:orders`: each system without one of its cures, searched in one order and in all orders of steps that commute. What is
 * wrong in it must be found in both, by as short a way: half a minute of one processor, and no seed, for nothing is left to chance.
 */
import { brokenIn, inBoth } from './both-orders.ts';
import { controlSettings, withSystem } from './systems.ts';

for (const setting of controlSettings) {
  const { one, all } = await withSystem(setting, (system) => inBoth((orders) => brokenIn(system, orders)));
  const isFound = one?.property === setting.breaks && all?.property === setting.breaks && one.length === all.length;
  console.info(`${isFound ? 'found' : 'NOT FOUND'} ${setting.system}: ${setting.control}`);
  if (!isFound) process.exitCode = 1;
}
