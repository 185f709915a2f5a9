/** A Materializer that follows whoever has the Consumer's name: it asks the next one, and is told of the death of the one before. */
import { CONSUMER } from '../hand-over/hand-over-model.ts';
import type { System, World } from '../checker/system.ts';

export function withFollowedName<Kind extends World<Kind>>(system: System<Kind>): System<Kind> {
  const roles = system.roles.map((role) => {
    if (role.name !== 'materializer') return role;
    return { ...role, input: (...given: Parameters<typeof role.input>) => ({ ...role.input(...given), consumer: CONSUMER }) };
  });
  return { ...system, roles };
}
