/** What a service has in Postgres, by the name that ElectricSQL gives it as well, so that one takes over from the other. */
export interface StreamNames {
  readonly slot: string;
  readonly publication: string;
}

export function streamNames(replicationStreamId: string): StreamNames {
  return { slot: `electric_slot_${replicationStreamId}`, publication: `electric_publication_${replicationStreamId}` };
}
