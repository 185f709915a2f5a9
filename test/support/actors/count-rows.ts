import type { VersionedMembers } from '../../../src/actors/versioned-members.ts';

/** Of the transaction that is open: `+a` is a row with that value, `-a` one less, `+` one with NULL. */
export function countRows(members: VersionedMembers, moves: readonly string[]): void {
  for (const move of moves) {
    const member = members.add(move.slice(1) || null);
    if (move.startsWith('+')) continue;
    members.remove(member); // The one that named it.
    members.remove(member);
  }
}
