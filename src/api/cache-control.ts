/**
 * How long an answer may be kept. A first chunk never changes under its handle, so caches hold it for a week; a live
 * answer lives just long enough for the clients of one polling window to share it.
 */
export interface CacheSettings {
  readonly maxAgeSeconds: number;
  readonly staleAgeSeconds: number;
}

export type CacheCase = 'firstChunk' | 'live' | 'catchUp';

export function cacheControl(cacheCase: CacheCase, { maxAgeSeconds, staleAgeSeconds }: CacheSettings): string {
  switch (cacheCase) {
    case 'firstChunk':
      return 'public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746';
    case 'live':
      return 'public, max-age=5, stale-while-revalidate=5';
    case 'catchUp':
      return `public, max-age=${maxAgeSeconds}, stale-while-revalidate=${staleAgeSeconds}`;
  }
}
