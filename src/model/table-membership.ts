/**
 * TableMembership: by which membership in the publication a table is followed. One that left, and is back when it is looked at, looks as
 * if it had been there all the time, and what was written meanwhile was streamed to nobody.
 */
export interface TableMembership {
  /** Of the table. */
  readonly oid: number;
  /** Another one when the table left and came back, or is published with other rows or columns. */
  readonly membership: string;
  /** The version of the publication. In one that was altered or made anew all begins anew, as the stream does. */
  readonly publication: string;
}

/** Where memberships are kept. */
export interface MembershipMemory {
  membershipOf(oid: number): TableMembership | undefined;
  /** Durable with whatever is told afterwards. */
  keepMembership(membership: TableMembership): void;
  forgetMembership(oid: number): void;
}
