/** Postgres's clock, as it stands in the messages of replication: microseconds since 2000. */

/** Microseconds from 1970 to 2000. */
const EPOCH_MICROS = 946_684_800_000_000n;

/** @param micros since 1970-01-01 UTC. */
export function toPostgresMicros(micros: number): bigint {
  return BigInt(micros) - EPOCH_MICROS;
}

/** @returns microseconds since 1970-01-01 UTC. */
export function fromPostgresMicros(micros: bigint): number {
  return Number(micros + EPOCH_MICROS);
}
