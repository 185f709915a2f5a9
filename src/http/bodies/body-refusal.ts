/** BodyRefusal: why a request's body is not taken, before anybody has asked what it means. */
export interface BodyRefusal {
  readonly status: 400 | 408 | 413 | 503;
  /** JSON. */
  readonly body: string;
  /** The rest of the body is not read: the connection ends with this answer. */
  readonly closes: boolean;
  readonly retryAfterSeconds?: number;
}

export function bodyRefusal(status: 400 | 413, body: object): BodyRefusal {
  return { status, body: JSON.stringify(body), closes: false };
}

export function bodyTooSlow(): BodyRefusal {
  return { status: 408, body: JSON.stringify({ error: 'Request body took too long' }), closes: true };
}

export function tooManyBodies(): BodyRefusal {
  return {
    status: 503,
    body: JSON.stringify({ error: 'Too many request bodies at once, please retry' }),
    closes: true,
    retryAfterSeconds: 1,
  };
}
