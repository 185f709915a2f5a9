/**
 * Control: a system with one cure taken out, within bounds in which that must be found, and by the property that is broken then. A
 * search that finds nothing in a control would prove nothing of the system.
 */
import type { System, World } from '../checker/system.ts';

export interface Control<Bounds, Kind extends World<Kind>> {
  /** In words, as a clause: what is wrong. */
  readonly name: string;
  readonly bounds: Bounds;
  readonly breaks: string;
  readonly make: (bounds: Bounds) => Promise<System<Kind>>;
}
