/** What was being looked at went meanwhile, as it does beside a service that works: look again. */
export class StaleViewError extends Error {
  override readonly name = 'StaleViewError';

  constructor(readonly path: string) {
    super(`${path} went while it was looked at`);
  }
}
