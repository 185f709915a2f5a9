/** Finding: what one look at a database showed, and what its operator runs where it should be otherwise. */
export interface Finding {
  /** Of a check: stable, for scripts. */
  readonly check: string;
  /** `fail`: the service does not start, or an application's writes fail; `warn`: something will be missing, slow or full one day. */
  readonly verdict: 'ok' | 'warn' | 'fail';
  readonly says: string;
  /** Statements and lines of a shell, in their order; empty when there is nothing to run. */
  readonly run: readonly string[];
}

type Told = Omit<Finding, 'check'>;

export function ok(says: string): Told {
  return { verdict: 'ok', says, run: [] };
}

export function warn(says: string, ...run: readonly string[]): Told {
  return { verdict: 'warn', says, run };
}

export function fail(says: string, ...run: readonly string[]): Told {
  return { verdict: 'fail', says, run };
}

/** A line that a person reads between statements. */
export function remark(text: string): string {
  return `-- ${text}`;
}

export type { Told };
