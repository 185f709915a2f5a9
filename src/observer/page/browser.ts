/** Browser: what the page takes from the machine that it runs on, apart from elements: the time, timers, and the network. */

export function nowMs(): number {
  return Date.now();
}

/** @returns takes it back. */
export function after(delayMs: number, run: () => void): () => void {
  const timer = setTimeout(run, delayMs);
  return () => clearTimeout(timer);
}

/** An answer that is no success, in the service's own words where it had any. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    /** What was answered. */
    readonly body: unknown = null,
  ) {
    super(message);
  }
}

/**
 * @throws {RefusedError} the service answered otherwise than with a success.
 * @throws {TypeError} it could not be reached.
 */
export async function getJson<View>(url: string, init: RequestInit = {}): Promise<View> {
  const response = await fetch(url, { headers: { accept: 'application/json' }, ...init });
  const body: unknown = await response.json().catch(() => null);
  if (response.ok) return body as View;
  throw refusedError(response, body);
}

/** Whether somebody can see the page: not while its tab is behind another. */
export function isSeen(): boolean {
  return document.visibilityState === 'visible';
}

export function onSeenChange(run: () => void): void {
  document.addEventListener('visibilitychange', run);
}

/** Why a stream is refused, which its EventSource does not tell. Undefined when it is not, or when nobody answers. */
export async function refusalOf(url: string): Promise<RefusedError | undefined> {
  const ending = new AbortController();
  try {
    const response = await fetch(url, { signal: ending.signal });
    return response.ok ? undefined : refusedError(response, await response.json().catch(() => null));
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  } finally {
    ending.abort();
  }
}

function refusedError({ status }: Response, body: unknown): RefusedError {
  return new RefusedError(status, textIn(body, 'code') ?? String(status), textIn(body, 'message') ?? 'Refused.', body);
}

function textIn(body: unknown, field: string): string | undefined {
  const value: unknown = typeof body === 'object' && body !== null ? Reflect.get(body, field) : undefined;
  return typeof value === 'string' ? value : undefined;
}
