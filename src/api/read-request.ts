/** ReadRequest: a request for a shape, as it was taken off its transport, before anything of it was looked at. */
import type { StopSignal } from '../base/stop-signal.ts';
import type { Permit } from './admission.ts';
import type { ShapeBounds } from './shape-bounds.ts';
import type { RawParameters } from './shape-parameters.ts';

export interface ReadRequest {
  readonly parameters: RawParameters;
  readonly ifNoneMatch: string | undefined;
  readonly permit: Permit;
  /** What is fixed of it, whatever its parameters say. */
  readonly bounds?: ShapeBounds | undefined;
  /** Aborted when nobody waits any longer: for the reason `DRAINING` an answer is still wanted, at once. */
  readonly signal: StopSignal;
}
