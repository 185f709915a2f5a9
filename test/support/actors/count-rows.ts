import type { VersionedMembers } from '../../../src/actors/versioned-members.ts';
import { invariant } from '../../../src/base/invariant.ts';
import { NULL_MEMBER } from '../../../src/sql/subqueries/membership.ts';

/** Of the transaction that is open: `+a` is a row with that value, `-a` one less, `+` one with NULL. */
export function countRows(members: VersionedMembers, moves: readonly string[]): void {
  for (const move of moves) {
    const value = move.slice(1);
    if (move.startsWith('+')) members.add(value || null);
    else members.remove(there(members.find(value || NULL_MEMBER)));
  }
}

function there(member: number | undefined): number {
  invariant(member !== undefined, 'only what is there goes');
  return member;
}
