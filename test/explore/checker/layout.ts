/**
 * Layout: where what lies in the vector of a state. The world, what has happened from outside, then for each role its local state,
 * its ledger and its mailbox, and then the mailboxes of ports.
 *
 * A *place* is the number of a role, or behind all roles that of a port.
 */
export const WORLD = 0;
export const FATE = 1;
const FIRST_ROLE = 2;
const PARTS = ['local', 'ledger', 'mailbox'] as const;
const [LOCAL, LEDGER, MAILBOX, PER_ROLE] = [0, 1, 2, 3];

export class Layout {
  readonly places: number;
  readonly width: number;

  constructor(
    readonly roles: number,
    ports: number,
  ) {
    this.places = roles + ports;
    this.width = FIRST_ROLE + PER_ROLE * roles + ports;
  }

  /** What of whom lies there; undefined of what is everybody's. */
  kindAt(index: number): { readonly part: 'local' | 'ledger' | 'mailbox'; readonly place: number } | undefined {
    if (index < FIRST_ROLE) return undefined;
    const behind = index - FIRST_ROLE - PER_ROLE * this.roles;
    if (behind >= 0) return { part: 'mailbox', place: this.roles + behind };
    const part = PARTS[(index - FIRST_ROLE) % PER_ROLE] ?? 'mailbox';
    return { part, place: Math.floor((index - FIRST_ROLE) / PER_ROLE) };
  }

  localAt(role: number): number {
    return FIRST_ROLE + PER_ROLE * role + LOCAL;
  }

  ledgerAt(role: number): number {
    return FIRST_ROLE + PER_ROLE * role + LEDGER;
  }

  mailboxAt(place: number): number {
    const { roles } = this;
    return place < roles ? FIRST_ROLE + PER_ROLE * place + MAILBOX : FIRST_ROLE + PER_ROLE * roles + place - roles;
  }
}
