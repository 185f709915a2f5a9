/**
 * Memberships: by which membership in the publication each table is followed. One that left, and is back when it is looked at, looks as if
 * it had been there all the time, and what was written meanwhile was streamed to nobody. Nothing of this is stored: what left and came
 * back while no service ran is not seen.
 */
import type { PublicationStanding } from './publication-standing.ts';

export class Memberships {
  private readonly known = new Map<number, Pick<PublicationStanding, 'membership' | 'version'>>();

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
    for (const { relation: { oid }, membership, version } of standings) {
      if (membership !== null) this.known.set(oid, { membership, version });
    }
  }

  forget(oid: number): void {
    this.known.delete(oid);
  }

  /** In a publication that was altered or made anew all begins anew, as the stream does. */
  private knownOf({ relation: { oid }, version }: PublicationStanding): Pick<PublicationStanding, 'membership'> | undefined {
    const known = this.known.get(oid);
    return known?.version === version ? known : undefined;
  }
}
