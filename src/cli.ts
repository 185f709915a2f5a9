#!/usr/bin/env node
/**
 * The program: reads what it was told, and does that. A service runs until it is told to end; every other command looks,
 * says what it saw, and ends (src/commands).
 *
 * Whatever keeps it from starting is one message that says what to do, on stderr, and an exit code other than 0; a
 * stack is shown only for an error of ours. The first SIGINT, SIGTERM or SIGHUP drains the service, which has its time for that; the second
 * ends at once.
 */
import { resolve } from 'node:path';
import { systemClock } from './base/clock.ts';
import { systemRandom } from './base/random.ts';
import { VERSION } from './base/version.ts';
import { parseCommandLine } from './commands/command-line.ts';
import { COMMANDS } from './commands/commands.ts';
import { EXIT } from './commands/exit-code.ts';
import { commandHelp, helpJson, helpText } from './commands/help.ts';
import { nameRuntime } from './commands/serving/runtime-name.ts';
import { startedOf, type StartReport } from './commands/serving/start-report.ts';
import { systemReport } from './commands/serving/system-report.ts';
import { jsonLine, systemTerminal } from './commands/terminal.ts';
import type { Service } from './service/service.ts';
import { readConfiguration, type Command, type Configuration, type Flags } from './settings/configuration.ts';

/** What is run: the service, alone or with the Postgres of the demo below it. */
type Running = Pick<Service, 'dump' | 'ended' | 'ending' | 'stop'>;

/** What a service may take to end beyond the time that it gives to open responses: less than orchestrators wait before they kill. */
const CLOSING_MS = 20_000;

/** The first drains, the second ends at once. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

await main(process.argv.slice(2));

async function main(words: readonly string[]): Promise<void> {
  const commandLine = parseCommandLine(words, COMMANDS);
  if ('problem' in commandLine) return refuse([commandLine.problem]);
  switch (commandLine.run) {
    case 'help': return print(help(commandLine));
    case 'version': return print(commandLine.isJson ? jsonLine({ version: VERSION }) : `${VERSION}\n`);
    case 'service': return serve(commandLine.command.serves, commandLine.flags);
    case 'tool': {
      const { command, flags, operands } = commandLine;
      process.exitCode = await command.run({ flags, operands, environment: process.env, terminal: systemTerminal() });
    }
  }
}

function help({ command, isJson }: { readonly command: (typeof COMMANDS)[number] | undefined; readonly isJson: boolean }): string {
  if (isJson) return helpJson(command === undefined ? COMMANDS : [command]);
  return command === undefined ? helpText(COMMANDS) : commandHelp(command);
}

async function serve(command: Command, { json, ...flags }: Flags): Promise<void> {
  const read = readConfiguration(command, flags, process.env);
  if ('problems' in read) return refuse(read.problems);
  await run(read.configuration, systemReport(json !== undefined, systemClock));
}

/**
 * Imports as late as this: neither help nor a refusal waits for processes, a parser and a database driver. But not when it fails: a new
 * version may have taken the place of these files by then.
 */
async function run(configuration: Configuration, report: StartReport): Promise<void> {
  nameRuntime();
  const telling = import('./service/start-failure.ts');
  process.once('exit', () => report.close()); // However it ends, what was held back is told: most of all where it does not end well.
  try {
    const isDemo = configuration.databaseUrl === undefined;
    const starting = isDemo ? startDemoService(configuration, report) : startService(configuration, report);
    const interrupted = drainAtSignal(starting, configuration, report);
    dumpAtSignal(starting);
    const service = await starting;
    const failure = await Promise.race([service.ended, interrupted]);
    report.close(); // Before the sentence that follows.
    if (failure !== undefined) process.stderr.write(`armature: ${failure}\n`);
    process.exit(failure === undefined ? EXIT.done : EXIT.failed);
  } catch (error) {
    const { startFailure } = await telling;
    report.failed();
    process.stderr.write(`armature: ${startFailure(error)}\n`);
    process.exit(EXIT.failed);
  }
}

/** @param welcome what to say when it is ready, by where it is. */
async function startService(configuration: Configuration, report: StartReport, welcome?: (url: string) => string): Promise<Service> {
  const { startService: start } = await import('./service/service.ts');
  const { logLines } = report;
  const watch = { step: report.step.bind(report), ...(logLines === undefined ? {} : { logLines }) };
  const service = await start(configuration, undefined, watch);
  const storage = configuration.storage === 'memory' ? 'memory' : resolve(configuration.storageDirectory);
  const told = () => startedOf(service, storage, process.pid, welcome?.(service.url)); // Some of it comes behind a wait for the storage.
  service.on('restoring', ({ restored, of }) => report.step({ what: 'shapes', done: restored, of }));
  report.started(told());
  whenActive(service, () => report.ready(told()));
  return service;
}

function whenActive(service: Service, told: () => void): void {
  if (service.status().level === 'active') return told();
  const end = service.on('active', () => {
    end();
    told();
  });
}

/** The database goes last: until then the service may need it. */
async function startDemoService(configuration: Configuration, report: StartReport): Promise<Running> {
  const { startDemo } = await import('./demo/demo.ts');
  const demo = await startDemo(systemClock, systemRandom, (what) => report.step({ what }));
  try {
    const service = await startService({ ...configuration, databaseUrl: demo.url }, report, demo.welcome);
    const ended = service.ended.finally(() => demo.stop());
    return {
      ended,
      dump: () => service.dump(),
      ending: () => service.ending() ?? 'the database of the demo',
      async stop() {
        await service.stop();
        await ended;
      },
    };
  } catch (error) {
    await demo.stop();
    throw error;
  }
}

/** Resolves once the service has drained; a second signal does not wait for that. A signal also ends a start that is under way. */
function drainAtSignal(starting: Promise<Running>, { drainTimeoutMs }: Configuration, report: StartReport): Promise<undefined> {
  return new Promise((resolve, reject) => {
    let running: Running | undefined;
    let isDraining = false;
    starting.then((service) => (running = service), () => {}); // Why it did not start is told elsewhere.
    const drain = (): void => {
      if (isDraining) interrupt();
      isDraining = true;
      if (running === undefined) report.say('Stopping as soon as it has started; once more to end at once');
      endInTime(drainTimeoutMs, () => running?.ending());
      starting.then((service) => service.stop()).then(() => resolve(undefined), reject);
    };
    for (const signal of SIGNALS) process.on(signal, drain);
  });
}

/** The end of a process waits for what a disk has been asked: where that hangs, it is left to the system what a third signal does. */
function interrupt(): never {
  for (const signal of SIGNALS) process.removeAllListeners(signal);
  process.exit(EXIT.interrupted);
}

/** Whoever sent the signal would kill it soon. What is on the disk is as whole as behind a kill, and the next start goes on from there. */
function endInTime(drainTimeoutMs: number, waitsFor: () => string | undefined): void {
  const withinMs = drainTimeoutMs + CLOSING_MS;
  systemClock.setTimer(() => {
    const left = waitsFor() ?? 'its start';
    toStderr(`armature: it did not end within ${withinMs / 1000} s (left: ${left}), and ends now; nothing that was told is lost\n`);
    process.once('exit', killWhereDiskHangs); // Behind whatever else is to be done then.
    process.exit(EXIT.failed);
  }, withinMs);
}

/** Else the process would wait for what the disk has been asked, and never end. */
function killWhereDiskHangs(): void {
  if (process.getActiveResourcesInfo().some((what) => /^(?:FSReq|CloseReq)/.test(what))) process.kill(process.pid, 'SIGKILL');
}

/** SIGUSR2 asks what the service is doing. (At SIGUSR1 Node opens its debugger.) Windows has neither. */
function dumpAtSignal(starting: Promise<Running>): void {
  let running: Running | undefined;
  starting.then((service) => (running = service), () => {}); // Why it did not start is told elsewhere.
  if (process.platform === 'win32') return;
  process.on('SIGUSR2', () => {
    if (running === undefined) process.stderr.write('armature: it is still starting, and has no process tree yet\n');
    else running.dump().then(toStderr, (error: unknown) => toStderr(`armature: no dump could be made: ${String(error)}\n`));
  });
}

function refuse(problems: readonly string[]): void {
  for (const problem of problems) process.stderr.write(`armature: ${problem}\n`);
  process.exitCode = EXIT.misused;
}

function toStderr(text: string): void {
  process.stderr.write(text);
}

function print(text: string): void {
  process.stdout.write(text);
}
