/**
 * Service client: asks a running service over HTTP, and says in a sentence why there is no answer.
 *
 * The service may be of another version, or something else may listen there: so what comes is read by a schema, and never
 * believed.
 */
import * as z from 'zod';
import { printable } from '../base/printable-text.ts';
import { readSettings } from '../settings/configuration.ts';
import { flagOf, type CommandContext, type Flag } from './command.ts';

export const SERVICE_FLAGS: readonly Flag[] = [
  { flag: 'url', value: 'URL', help: 'of the service (default: http://127.0.0.1 and the port of --port)', variables: [] },
  flagOf('port'),
  flagOf('secret'),
];

export interface ServiceAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly secret: string | undefined;
}

/** What to do, in sentences. */
export type Problems = { readonly problems: readonly string[] };

export const NO_OBSERVER = 'The service does not show itself: start it with --observer (ARMATURE_OBSERVER=true).';

const ANSWER_MS_MAX = 30_000;

/** Of flags and environment; a service on this machine is found by its own variables. */
export function serviceAddress({ flags, environment }: Pick<CommandContext, 'flags' | 'environment'>): ServiceAddress | Problems {
  const read = readSettings(['port', 'secret'], flags, environment);
  if ('problems' in read) return read;
  const { port, secret } = read.settings;
  const given = flags['url'] ?? `http://127.0.0.1:${port}`;
  if (given === true || !URL.canParse(given) || !/^https?:/.test(given)) {
    return { problems: ['--url must be the address of a service, as in http://127.0.0.1:3000'] };
  }
  return { url: given.replace(/\/+$/, ''), secret };
}

export interface Question<Form extends z.ZodType> {
  /** Begins with a slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string | undefined>>;
  readonly form: Form;
  /** Where the service has no such path. */
  readonly whenMissing: string;
}

export interface ServiceAnswer<Form extends z.ZodType> {
  readonly view: z.output<Form>;
  /** As it came: for `--json`. */
  readonly body: unknown;
}

export async function askService<Form extends z.ZodType>(
  { url, secret }: ServiceAddress,
  { path, query, form, whenMissing }: Question<Form>,
): Promise<ServiceAnswer<Form> | Problems> {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, value);
  const address = `${url}${path}${given.size === 0 ? '' : `?${given.toString()}`}`;
  const headers = { accept: 'application/json', ...(secret === undefined ? {} : { authorization: `Bearer ${secret}` }) };
  const response = await answerOf(address, headers);
  if (response === undefined) return { problems: [`Nothing answers at ${url}. --url names another address.`] };
  const body = jsonOf(response.text);
  if (response.status !== 200) return { problems: [refusal(response.status, body, whenMissing)] };
  const read = form.safeParse(body);
  return read.success ? { view: read.data, body } : { problems: [`${url} answers in a form that this version of Armature does not know.`] };
}

async function answerOf(address: string, headers: Readonly<Record<string, string>>): Promise<{ status: number; text: string } | undefined> {
  try {
    const response = await fetch(address, { headers, redirect: 'error', signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return { status: response.status, text: await response.text() };
  } catch (error) {
    const isWorlds = error instanceof TypeError || (error instanceof DOMException && error.name === 'TimeoutError'); // As fetch says it.
    if (isWorlds) return undefined;
    throw error;
  }
}

/** @returns undefined for what is no JSON. */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function refusal(status: number, body: unknown, whenMissing: string): string {
  if (status === 401) return 'The service wants its secret: --secret, or ARMATURE_SECRET.';
  const read = refusalForm.safeParse(body);
  if (!read.success) return status === 404 ? whenMissing : `The service answers ${status}.`;
  const { message, errors } = read.data;
  const details = errors === undefined ? '' : ` ${JSON.stringify(errors)}`;
  return printable(`The service answers ${status}: ${message.replace(/\.$/, '')}.${details}`);
}

/** Of the observer and of the shape endpoint: a sentence, and by parameter what is wrong with it. */
const refusalForm = z.object({ message: z.string(), errors: z.unknown().optional() });
