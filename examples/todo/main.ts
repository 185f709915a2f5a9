/**
 * `npm run example`: the todo app and all that it stands on: a Postgres, the service that follows it, and the app's own server. What a flag
 * names is there already, and is not started here.
 */
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { startService } from 'armature';
import { startApp } from './server/app.ts';
import type { ServiceAddress } from './server/shape-proxy.ts';
import { wordsOf } from './server/words-of.ts';

const FLAGS = {
  'database-url': { type: 'string' }, // Default: a Postgres of the repository's own, in ./.armature/todo.
  'service-url': { type: 'string' }, // An Armature that follows this database. Default: one that is started here.
  secret: { type: 'string' }, // What that service asks for.
  port: { type: 'string', default: '5173' },
} as const;

/** In the order in which it was started. */
const running: { readonly stop: () => Promise<void> }[] = [];
let ending: Promise<void> | undefined;

try {
  const { values: flags } = parseArgs({ options: FLAGS });
  const { 'database-url': given, 'service-url': serviceUrl, secret } = flags;
  const databaseUrl = given ?? (await ownPostgres());
  const service = serviceUrl === undefined ? await ownService(databaseUrl, given !== undefined) : { serviceUrl, secret };
  const app = await startApp({ databaseUrl, ...service, port: Number(flags.port) });
  running.push(app);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => void end(0)); // npm passes on what a terminal has sent already.
  console.log(`The todo app is at ${app.url}: open it in two windows, and write in one. Ctrl-C ends it.`);
} catch (error) {
  await fail(wordsOf(error));
}

async function ownPostgres(): Promise<string> {
  const { startDemoPostgres } = await import('./demo-postgres.ts');
  const postgres = await startDemoPostgres();
  running.push(postgres);
  return postgres.url;
}

/**
 * Only the app's server knows its secret, and who reads what is said here: without one, every page in a browser of this machine could read
 * every table.
 *
 * @param isLent the database is not our own: a slot that nobody follows would keep its WAL, so none stays there.
 */
async function ownService(databaseUrl: string, isLent: boolean): Promise<ServiceAddress> {
  const secret = randomUUID();
  const storage = { directory: '.armature/todo/shapes' };
  const place = { host: '127.0.0.1', port: 0, logger: 'warn' } as const;
  const service = await startService({ databaseUrl, storage, secret, cleanupReplicationSlots: isLent, ...place });
  running.push(service);
  void service.ended.then((failure) => (failure === undefined ? undefined : fail(failure)));
  console.log(`The processes that bring todos to their pages can be watched at ${service.url}/_observer?secret=${secret}`);
  return { serviceUrl: service.url, secret };
}

async function fail(why: string): Promise<void> {
  console.error(`todo: ${why}`);
  await end(1);
}

/** Whoever asks again waits for the same end. */
function end(exitCode: number): Promise<void> {
  ending ??= stopAll().then(() => process.exit(exitCode));
  return ending;
}

async function stopAll(): Promise<void> {
  for (const { stop } of running.reverse()) await stop();
}
