/** Links: two processes that end together, unless one traps exits and is told instead. A second link of a pair changes nothing. */
import type { Entry } from './entry.ts';
import type { Address } from '../process.ts';

/** A link to the dead is answered with their exit, `noproc`; unless the one by an earlier link is still under way. */
export function link(entry: Entry, address: Address): void {
  const other = entry.kernel.resolve(address);
  if (other === entry) return;
  if (other === undefined) {
    if (linkedUnder(entry, address) !== undefined) return;
    entry.kernel.enqueue(entry, { kind: 'exit', source: { pid: address }, reason: 'noproc' });
    return;
  }
  entry.links ??= new Set();
  entry.links.add(other);
  other.links ??= new Set();
  other.links.add(entry);
}

/** An exit of the other that is under way is not delivered any more. */
export function unlink(entry: Entry, address: Address): void {
  const other = entry.kernel.resolve(address) ?? linkedUnder(entry, address);
  if (other === undefined) return;
  entry.links?.delete(other);
  other.links?.delete(entry);
}

/** One that has ended resolves to nothing, but its exit may still be under way. */
function linkedUnder(entry: Entry, address: Address): Entry | undefined {
  for (const other of entry.links ?? []) if (other.pid === address) return other;
  return undefined;
}
