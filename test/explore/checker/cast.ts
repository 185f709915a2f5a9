/** Cast: who takes part in a system, by name. */
import { invariant } from '../../../src/base/invariant.ts';
import type { Address } from '../../../src/otp/process.ts';
import { Layout } from './layout.ts';
import type { System, World } from './system.ts';

type Parts = Pick<System<never>, 'roles' | 'ports'>;

export class Cast {
  readonly layout: Layout;
  private readonly byName = new Map<string, number>();
  private readonly byRegistered = new Map<string, number>();
  private readonly portPlaces = new Map<string, number>();
  private readonly names: readonly string[];

  constructor({ roles, ports }: Parts) {
    this.layout = new Layout(roles.length, ports.length);
    this.names = [...roles, ...ports].map(({ name }) => name);
    roles.forEach(({ name, registered }, role) => {
      this.byName.set(name, role);
      this.byRegistered.set(registered, role);
    });
    ports.forEach(({ name }, index) => this.portPlaces.set(name, roles.length + index));
  }

  static of<Kind extends World<Kind>>(system: System<Kind>): Cast {
    const known = casts.get(system) ?? new Cast(system);
    casts.set(system, known);
    return known;
  }

  roleNamed(name: string): number {
    const role = this.byName.get(name);
    invariant(role !== undefined, `the system has a role ${name}`);
    return role;
  }

  nameOf(place: number): string {
    return this.names[place] ?? '';
  }

  /** The place of a port. */
  portAt(address: Address): number | undefined {
    return this.portPlaces.get(address);
  }

  isRegistered(address: Address): boolean {
    return this.byRegistered.has(address);
  }

  /** The only role that can have this pid, or this registered name. */
  roleAt(address: Address): number | undefined {
    return this.byRegistered.get(address) ?? this.byName.get(address.slice(0, address.lastIndexOf('#')));
  }
}

const casts = new WeakMap<object, Cast>();
