/**
 * Gate: who may ask for a shape, decided before anything else of the request is looked at; and what of it is fixed for whoever may.
 *
 * A gate that throws is a fault of ours, or of whoever made it: its client hears nothing of it, and gets nothing.
 */
import type { NowOrLater } from '../base/now-or-later.ts';
import { leaving } from '../api/refusal.ts';
import { boundsOf, type ShapeBounds } from '../api/shape-bounds.ts';
import type { Exchange } from './exchange.ts';
import { errorAnswer } from './error-answer.ts';
import { privateHeaders, refusalHeaders } from './response-headers.ts';
import { accessOf, type Secret } from './secret.ts';
import type { HttpAnswer } from './send-response.ts';

export type Passage =
  /** `told`: the answer, as it is told to who went through here; undefined where it is told as it is. */
  | { readonly kind: 'open'; readonly bounds: ShapeBounds | undefined; readonly told: ((answer: HttpAnswer) => HttpAnswer) | undefined }
  /** `answer`: undefined when it was answered elsewhere, or nobody waits. */
  | { readonly kind: 'closed'; readonly answer: HttpAnswer | undefined };

export type Gate = (exchange: Exchange) => NowOrLater<Passage>;

const OPEN: Passage = { kind: 'open', bounds: undefined, told: undefined };

/** Open to whoever has the secret. */
export function secretGate(secret: Secret): Gate {
  return (exchange) => {
    const access = accessOf(secret, exchange);
    if (access === 'denied') return { kind: 'closed', answer: unauthorized() };
    const varied = (answer: HttpAnswer): HttpAnswer => ({ ...answer, headers: [...answer.headers, 'vary', 'authorization'] });
    return access === 'byHeader' ? { ...OPEN, told: varied } : OPEN;
  };
}

/** Open to nobody: who served has left, and another one is there, or soon will be. */
export const shut: Gate = () => {
  const refusal = leaving();
  const { status, body } = refusal;
  return { kind: 'closed', answer: { status, headers: refusalHeaders(refusal, true), body: [Buffer.from(body)] } };
};

/**
 * Open within bounds. What a request may see does not follow from its address, so no cache may give its answer to anybody else, and its
 * own one asks each time.
 */
export function within(bounds: ShapeBounds): Passage {
  return { kind: 'open', bounds: boundsOf(bounds), told: (answer) => ({ ...answer, headers: privateHeaders(answer.headers) }) };
}

export function forbidden(): Passage {
  return { kind: 'closed', answer: errorAnswer(403, { message: 'Forbidden' }) };
}

function unauthorized(): HttpAnswer {
  return errorAnswer(401, { message: 'Unauthorized - Invalid API secret' });
}
