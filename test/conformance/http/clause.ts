/** A clause of docs/protocol.md, with what is asked of the service and what it then gives. */
import type { TestDatabase } from '../../support/postgres/postgres.ts';

export interface Served {
  /** Everybody may ask; shapes may be deleted. */
  readonly url: string;
  /** The secret is `S3cret`. */
  readonly guardedUrl: string;
  readonly database: TestDatabase;
}

export interface Case {
  readonly asks: string;
  run(served: Served): Promise<unknown>;
  readonly gives: unknown;
}

export interface Clause {
  readonly clause: string;
  readonly cases: readonly Case[];
}

export const MUST_REFETCH = [{ headers: { control: 'must-refetch' } }];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Of JSON, its value. */
  readonly body: unknown;
}

export interface Asked {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @param request `GET /path?query`. */
export async function ask(url: string, request: string, asked: Asked = {}): Promise<Answer> {
  const cut = request.indexOf(' ');
  const response = await fetch(url + request.slice(cut + 1), { method: request.slice(0, cut), ...asked });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true && text !== '';
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

/** What is asked of the service without a secret, by one request. @param names of headers that are compared. */
export function asking(request: string, gives: Readonly<Record<string, unknown>>, asked: Asked = {}): Case {
  return { asks: request.slice(0, 120), run: ({ url }) => told(ask(url, request, asked), Object.keys(gives)), gives };
}

/** The same of the service that wants a secret. */
export function askingGuarded(request: string, gives: Readonly<Record<string, unknown>>, asked: Asked = {}): Case {
  return { asks: request, run: ({ guardedUrl }) => told(ask(guardedUrl, request, asked), Object.keys(gives)), gives };
}

/** Status, body and headers by name. */
async function told(answer: Promise<Answer>, names: readonly string[]): Promise<Record<string, unknown>> {
  const { status, headers, body } = await answer;
  return Object.fromEntries(names.map((name) => [name, name === 'status' ? status : name === 'body' ? body : headers.get(name)]));
}

/** The request is refused with these errors. */
export function refusing(query: string, errors: Readonly<Record<string, readonly string[]>>, asked: Asked = {}): Case {
  const method = asked.body === undefined ? 'GET' : 'POST';
  return asking(`${method} /v1/shape?${query}`, { status: 400, body: { message: 'Invalid request', errors } }, asked);
}

/** @param asks what is done, in words: more than one request. */
export function telling(asks: string, run: (served: Served) => Promise<unknown>, gives: unknown): Case {
  return { asks, run, gives };
}

export function headersOf({ headers }: Answer, ...names: readonly string[]): readonly (string | null)[] {
  return names.map((name) => headers.get(name));
}
