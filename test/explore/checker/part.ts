/** Part: what states are made of, together with the ids of calls that it names. */
import type { Named } from './call-ids.ts';

export interface Part<Kind> {
  readonly it: Kind;
  readonly named: Named;
}
