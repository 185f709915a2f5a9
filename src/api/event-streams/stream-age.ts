/** So old an event stream ends, and its client opens the next one: caches may give one stream to many. */
export const STREAM_AGE_MS = 60_000;
