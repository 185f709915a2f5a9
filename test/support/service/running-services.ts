/**
 * The services that tests have started in their own process and not stopped: a test that fails before it does so must not leave one to
 * the files that share the process. It knows nothing of what a service is, so that a file without one does not load it.
 */
interface Running {
  /** Stops it and removes its storage. */
  remove(): Promise<void>;
}

const running = new Set<Running>();

export function enterService(service: Running): void {
  running.add(service);
}

/** Who stops it takes care of it from now on, also when that fails. */
export function leaveService(service: Running): void {
  running.delete(service);
}

/** Resolves when all that are left have stopped. */
export async function removeLeftServices(): Promise<void> {
  const left = [...running];
  running.clear();
  await Promise.all(left.map((service) => service.remove()));
}
