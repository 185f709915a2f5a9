/**
 * Memberships: whether a table is followed by the membership in the publication that it has now. What is known of that outlasts the
 * service: a table that left and came back while none ran is found at the next start.
 */
import type { MembershipMemory, TableMembership } from '../../model/table-membership.ts';
import type { PublicationStanding } from './publication-standing.ts';

export class Memberships {
  constructor(private readonly memory: MembershipMemory) {}

  /** It is not the one that was noted. */
  isOther(standing: PublicationStanding): boolean {
    const known = this.knownOf(standing);
    return known !== undefined && standing.membership !== null && known.membership !== standing.membership;
  }

  /** What is known already stays: who was told that it is another one may not have heard it. */
  noteNew(standings: readonly PublicationStanding[]): void {
    this.note(standings.filter((standing) => standing.isThere && this.knownOf(standing) === undefined));
  }

  note(standings: readonly PublicationStanding[]): void {
    for (const standing of standings) {
      const { relation: { oid }, membership, version: publication } = standing;
      if (membership === null || this.knownOf(standing)?.membership === membership) continue;
      this.memory.keepMembership({ oid, membership, publication });
    }
  }

  forget(oid: number): void {
    this.memory.forgetMembership(oid);
  }

  private knownOf({ relation: { oid }, version }: PublicationStanding): TableMembership | undefined {
    const known = this.memory.membershipOf(oid);
    return known?.publication === version ? known : undefined;
  }
}
