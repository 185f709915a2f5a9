/**
 * How long an answer may be kept. A first chunk never changes under its handle, so caches hold it for a week; a live
 * answer lives just long enough for the clients of one polling window to share it, and a stream for as long as it is open.
 */
import { STREAM_AGE_MS } from './event-streams/stream-age.ts';

export interface CacheSettings {
  readonly maxAgeSeconds: number;
  readonly staleAgeSeconds: number;
}

export type CacheCase = 'firstChunk' | 'live' | 'liveStream' | 'catchUp';

export function cacheControl(cacheCase: CacheCase, { maxAgeSeconds, staleAgeSeconds }: CacheSettings): string {
  switch (cacheCase) {
    case 'firstChunk':
      return 'public, max-age=604800, s-maxage=3600, stale-while-revalidate=2629746';
    case 'live':
      return 'public, max-age=5, stale-while-revalidate=5';
    case 'liveStream':
      return `public, max-age=${STREAM_AGE_MS / 1000 - 1}`;
    case 'catchUp':
      return `public, max-age=${maxAgeSeconds}, stale-while-revalidate=${staleAgeSeconds}`;
  }
}
