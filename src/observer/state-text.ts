/** StateText: a state value in one line: `live`, `up.resting`, of parallel regions `ingest.live | snapshot.done`. */

/** @param value xstate's, or the word for a port's. */
export function stateText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value).map(([region, inner]) => within(region, inner)).join(' | ');
}

function within(region: string, inner: unknown): string {
  if (typeof inner === 'string') return `${region}.${inner}`;
  const regions = typeof inner === 'object' && inner !== null ? Object.keys(inner).length : 0;
  if (regions === 0) return region;
  return regions === 1 ? `${region}.${stateText(inner)}` : `${region}.(${stateText(inner)})`;
}
