/** Clauses that need a clock that stands still, a service that is ill, or bytes that no client sends: where each is held. */
export const HELD_ELSEWHERE: Readonly<Record<string, string>> = {
  '3.14': 'test/http/validation.test.ts',
  '5.6': 'test/http/live.test.ts',
  '5.7': 'test/http/live.test.ts',
  '6.4': 'test/http/event-stream.test.ts',
  '6.6': 'test/http/event-stream.test.ts',
  '6.7': 'test/http/event-stream.test.ts',
  '7.7': 'test/http-cache/collapsing.test.ts',
  '8.7': 'test/conformance/http/manual-publishing.test.ts',
  '8.8': 'test/service/durability.test.ts',
  '8.9': 'test/service/slots/new-slot.test.ts',
  '9.1': 'test/http/lifecycle.test.ts',
  '9.2': 'test/http/lifecycle.test.ts',
  '9.3': 'test/http/bodies.test.ts',
  '9.4': 'test/http/lifecycle.test.ts',
  '9.5': 'test/http/lifecycle.test.ts',
};
