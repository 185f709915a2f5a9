/**
 * TableFacts: of each table that is followed, what the log was told of it last: the tree below it, or its membership in the publication.
 */
export interface TableFact {
  /** Of the table. */
  readonly oid: number;
}

/** As it is logged. */
export type FactEntry<Fact extends TableFact> = Fact | ForgottenFact;

export interface ForgottenFact extends TableFact {
  readonly isForgotten: true;
}

export class TableFacts<Fact extends TableFact> {
  private readonly byOid = new Map<number, Fact>();

  get(oid: number): Fact | undefined {
    return this.byOid.get(oid);
  }

  all(): Iterable<Fact> {
    return this.byOid.values();
  }

  take(entry: FactEntry<Fact>): void {
    if (isForgotten(entry)) this.byOid.delete(entry.oid);
    else this.byOid.set(entry.oid, entry);
  }

  clone(): TableFacts<Fact> {
    const copy = new TableFacts<Fact>();
    for (const fact of this.byOid.values()) copy.take(fact);
    return copy;
  }
}

function isForgotten(entry: TableFact): entry is ForgottenFact {
  return 'isForgotten' in entry;
}
