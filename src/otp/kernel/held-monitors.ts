/**
 * HeldMonitors: the monitors that one process holds, by the address that each was given. Most who hold any hold one or two: a map is made
 * for those who hold many.
 */
import { countOf, listOf, withItem, withoutItem, type Few } from '../../base/few.ts';
import { FewSet } from '../../base/few-set.ts';
import type { Address } from '../process.ts';

/** As its owner knows a monitor. */
interface Held {
  readonly address: Address;
}

/** So many are looked through for an address. */
const FEW_MAX = 4;

export class HeldMonitors<Monitor extends Held> {
  /** None where they are in the map. */
  private few: Few<Monitor>;
  private byAddress: Map<Address, FewSet<Monitor>> | undefined;

  /** How many addresses there are monitors of. */
  get size(): number {
    return this.byAddress?.size ?? this.addresses().length;
  }

  add(monitor: Monitor): void {
    if (this.byAddress === undefined) this.addToFew(monitor);
    else put(this.byAddress, monitor);
  }

  /** One that is not there changes nothing. */
  delete(monitor: Monitor): void {
    this.few = withoutItem(this.few, monitor);
    const held = this.byAddress?.get(monitor.address);
    held?.delete(monitor);
    if (held?.size === 0) this.byAddress?.delete(monitor.address);
    if (this.byAddress?.size === 0) this.byAddress = undefined;
  }

  /** In the order in which they were made; it holds whatever becomes of them meanwhile. */
  of(address: Address): readonly Monitor[] {
    if (this.byAddress !== undefined) return [...(this.byAddress.get(address) ?? [])];
    return listOf(this.few).filter((monitor) => monitor.address === address);
  }

  /** Each once. */
  addresses(): readonly Address[] {
    if (this.byAddress !== undefined) return [...this.byAddress.keys()];
    return [...new Set(listOf(this.few).map(({ address }) => address))];
  }

  *[Symbol.iterator](): Iterator<Monitor> {
    yield* listOf(this.few);
    for (const held of this.byAddress?.values() ?? []) yield* held;
  }

  private addToFew(monitor: Monitor): void {
    this.few = withItem(this.few, monitor);
    if (countOf(this.few) <= FEW_MAX) return;
    this.byAddress = new Map();
    for (const each of listOf(this.few)) put(this.byAddress, each);
    this.few = undefined;
  }
}

function put<Monitor extends Held>(byAddress: Map<Address, FewSet<Monitor>>, monitor: Monitor): void {
  const held = byAddress.get(monitor.address) ?? new FewSet<Monitor>();
  byAddress.set(monitor.address, held);
  held.add(monitor);
}
