/**
 * ChildBacklog: what a supervisor puts off until it is free again: the ends of children that it was not waiting for,
 * then what it is asked, both in the order in which they came.
 *
 * Were the requests postponed instead, each of them would be delivered again after every start of another child.
 */
import { invariant } from '../../base/invariant.ts';
import { Ring } from '../../base/ring.ts';
import type { SupervisorRequest } from './child-requests.ts';
import type { Address, ExitReason } from '../process.ts';
import type { ChildExit } from './supervision-table.ts';

/** As many as a mailbox may hold. */
const REQUESTS_MAX = 100_000;

export class ChildBacklog {
  private readonly exits: Map<Address, ExitReason>;
  private readonly requests = new Ring<SupervisorRequest>();

  constructor(exits: Iterable<readonly [Address, ExitReason]> = [], requests: Iterable<SupervisorRequest> = []) {
    this.exits = new Map(exits);
    for (const request of requests) this.requests.push(request);
  }

  keepExit({ process, reason }: ChildExit): undefined {
    this.exits.set(process, reason);
  }

  keepRequest(request: SupervisorRequest): undefined {
    invariant(this.requests.length < REQUESTS_MAX, `no more than ${REQUESTS_MAX} requests wait for a busy supervisor`);
    this.requests.push(request);
  }

  /** @returns whether `process` has ended already, unnoticed so far. */
  takeExit(process: Address): boolean {
    return this.exits.delete(process);
  }

  next(): ({ readonly type: 'child.kept' } & ChildExit) | SupervisorRequest | undefined {
    for (const [process, reason] of this.exits) {
      this.exits.delete(process);
      return { type: 'child.kept', process, reason };
    }
    return this.requests.shift();
  }

  clone(): ChildBacklog {
    return new ChildBacklog(this.exits, this.requests);
  }

  key(): readonly unknown[] {
    return [[...this.exits], [...this.requests]];
  }
}
