/** Clauses that need a clock that stands still, a service that is ill, or bytes that no client sends: where each is held. */
export const HELD_ELSEWHERE: Readonly<Record<string, string>> = {
  '3.14': 'test/http/validation.test.ts',
  '5.6': 'test/http/live.test.ts',
  '6.4': 'test/http/event-stream.test.ts',
  '6.6': 'test/http/event-stream.test.ts',
  '6.7': 'test/http/event-stream.test.ts',
  '7.7': 'test/http/compression.test.ts',
  '9.1': 'test/http/lifecycle.test.ts',
  '9.2': 'test/http/lifecycle.test.ts',
  '9.3': 'test/http/bodies.test.ts',
  '9.4': 'test/http/lifecycle.test.ts',
  '9.5': 'test/service/slow-readers.test.ts',
  '9.6': 'test/http/hostile-connections.test.ts',
  '9.7': 'test/http/half-sent.test.ts',
};
