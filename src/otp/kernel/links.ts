/** Links: two processes that end together, unless one traps exits and is told instead. A second link of a pair changes nothing. */
import type { Entry } from './entry.ts';
import type { Address } from '../process.ts';

/** Who links to a dead process gets an exit with `noproc`, unless the exit by an earlier link to it is still under way. */
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

/** A process that has ended is not found by its pid any more, but its exit may still be under way. */
function linkedUnder(entry: Entry, address: Address): Entry | undefined {
  for (const other of entry.links ?? []) if (other.pid === address) return other;
  return undefined;
}
