/** OpenTransaction: one of somebody else's that is in the way, as far as Postgres tells our role, in words for an operator. */
export interface OpenTransaction {
  /** Null of a prepared one, and then `gid` is not. */
  readonly pid: number | null;
  readonly application: string | null;
  /** Null for a local socket, too. */
  readonly address: string | null;
  readonly role: string | null;
  /** When it began; or was prepared. */
  readonly since: Date | null;
  readonly gid: string | null;
}

export function transactionText({ pid, application, address, role, since, gid }: OpenTransaction): string {
  return [
    gid === null ? `process ${pid} of Postgres` : `the prepared transaction ${JSON.stringify(gid)}`,
    ...(application === null || application === '' ? [] : [`application ${JSON.stringify(application)}`]),
    ...(role === null ? [] : [`role ${JSON.stringify(role)}`]),
    ...(address === null ? [] : [`from ${address}`]),
    ...(since === null ? [] : [`since ${since.toISOString()}`]),
  ].join(', ');
}
