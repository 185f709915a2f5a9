/**
 * HeldMonitors: the monitors that one process holds, by the address that each was given. Most who hold any hold one: a map is made for the
 * second.
 */
import { FewSet } from '../../base/few-set.ts';
import type { Address } from '../process.ts';

/** As its owner knows a monitor. */
interface Held {
  readonly address: Address;
}

export class HeldMonitors<Monitor extends Held> {
  private one: Monitor | undefined;
  private byAddress: Map<Address, FewSet<Monitor>> | undefined;

  /** How many addresses there are monitors of. */
  get size(): number {
    return this.byAddress?.size ?? (this.one === undefined ? 0 : 1);
  }

  add(monitor: Monitor): void {
    if (this.size === 0) {
      this.one = monitor;
      return;
    }
    this.byAddress ??= new Map();
    if (this.one !== undefined) this.put(this.byAddress, this.one);
    this.one = undefined;
    this.put(this.byAddress, monitor);
  }

  /** One that is not there changes nothing. */
  delete(monitor: Monitor): void {
    if (this.one === monitor) this.one = undefined;
    const held = this.byAddress?.get(monitor.address);
    held?.delete(monitor);
    if (held?.size === 0) this.byAddress?.delete(monitor.address);
    if (this.byAddress?.size === 0) this.byAddress = undefined;
  }

  /** In the order in which they were made; it holds whatever becomes of them meanwhile. */
  of(address: Address): readonly Monitor[] {
    if (this.one !== undefined) return this.one.address === address ? [this.one] : [];
    return [...(this.byAddress?.get(address) ?? [])];
  }

  /** Each once. */
  addresses(): readonly Address[] {
    return this.one === undefined ? [...(this.byAddress?.keys() ?? [])] : [this.one.address];
  }

  *[Symbol.iterator](): Iterator<Monitor> {
    if (this.one !== undefined) yield this.one;
    for (const held of this.byAddress?.values() ?? []) yield* held;
  }

  private put(byAddress: Map<Address, FewSet<Monitor>>, monitor: Monitor): void {
    const held = byAddress.get(monitor.address) ?? new FewSet<Monitor>();
    byAddress.set(monitor.address, held);
    held.add(monitor);
  }
}
