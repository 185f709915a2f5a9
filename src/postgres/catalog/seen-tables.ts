/** SeenTables: as what each followed table was looked at last, so that one is read and judged again only when it may be another. */
import type { PublicationStanding } from './publication-standing.ts';

export class SeenTables {
  private readonly looks = new Map<number, string>();

  /** Oids of those that may be others than they were. */
  othersOf(standings: readonly PublicationStanding[]): readonly number[] {
    const others = standings.filter(({ isThere, relation, look }) => isThere && this.looks.get(relation.oid) !== look);
    return others.map(({ relation: { oid } }) => oid);
  }

  note(standings: readonly PublicationStanding[]): void {
    for (const { isThere, relation: { oid }, look } of standings) if (isThere && look !== null) this.looks.set(oid, look);
  }

  forget(oid: number): void {
    this.looks.delete(oid);
  }
}
