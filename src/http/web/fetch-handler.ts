/** FetchHandler: from a `Request` of the web to its `Response`, for a program that has a server of its own. */
import { authorizedGate } from './authorize.ts';
import type { FetchHandler, FetchHandlerOptions } from './handler-types.ts';
import type { RequestDispatcher } from '../request-dispatcher.ts';
import type { WebRequest, WebResponse } from './web-types.ts';
import { away, BODY_TAKEN, isTaken, PeerRequest, PeerResponse } from './web-peer.ts';

type Living = RequestDispatcher | undefined;

/** @param living the dispatcher that there is now, or that is on its way; undefined while there is none. */
export function fetchHandler(living: () => Living | Promise<Living>, { authorize }: FetchHandlerOptions): FetchHandler {
  const receive = (dispatcher: Living, request: WebRequest): Promise<WebResponse> => {
    if (dispatcher === undefined) return Promise.resolve(away());
    if (isTaken(request)) return Promise.reject(new TypeError(BODY_TAKEN));
    const response = new PeerResponse(request.method === 'HEAD');
    endTogether(request.signal, response);
    const gate = authorize === undefined ? undefined : authorizedGate(authorize, request, response);
    dispatcher.receiveForShape(new PeerRequest(request), response, gate);
    return response.told;
  };
  return (request) => {
    const dispatcher = living();
    return dispatcher instanceof Promise ? dispatcher.then((next) => receive(next, request)) : receive(dispatcher, request);
  };
}

/** A moment later: who is told of the same end, and cancels the body, is not told of an error then. */
function endTogether(signal: AbortSignal, response: PeerResponse): void {
  const leave = (): void => void Promise.resolve().then(() => response.leave());
  signal.addEventListener('abort', leave);
  response.once('close', () => signal.removeEventListener('abort', leave));
  if (signal.aborted) response.leave();
}
