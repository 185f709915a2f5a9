/** What is said of a start where no person reads it. */
import { expect, test } from 'vitest';
import { CollectorReport } from '../../../src/commands/serving/collector-report.ts';
import { ScriptReport } from '../../../src/commands/serving/script-report.ts';
import { startedOf } from '../../../src/commands/serving/start-report.ts';
import { VERSION } from '../../../src/base/version.ts';

const SERVICE = {
  url: 'http://[::]:3000',
  observerUrl: 'http://[::]:3000/_observer',
  metricsUrl: undefined,
  inspectionUrl: undefined,
  cause: () => Promise.resolve(undefined),
};

test('a script gets a line of JSON for each thing that it waits for, and all else goes to stderr', () => {
  const [printed, aside]: string[][] = [[], []];
  const report = new ScriptReport((text) => void printed?.push(text), (text) => void aside?.push(text));
  const started = startedOf(SERVICE, '/data', 7, 'Welcome');

  report.step();
  report.logLines.write('{"msg":"service.active"}\n');
  report.started(started);
  report.ready(started);
  report.say('Stopping');
  report.close();

  const known = {
    version: VERSION, pid: 7, url: 'http://[::1]:3000', shapes: 'http://[::1]:3000/v1/shape', observer: 'http://[::1]:3000/_observer',
    metrics: null, inspection: null, storage: '/data',
  };
  expect({ printed: printed?.map((line) => JSON.parse(line) as unknown), form: report.logLines.form, aside }).toEqual({
    printed: [{ event: 'started', ...known }, { event: 'ready', ...known }],
    form: 'json',
    aside: ['{"msg":"service.active"}\n', 'armature: Stopping\n'],
  });
});

test('who collects lines gets those of the log alone, and of the demo what it makes and what to try; all else goes to stderr', () => {
  const [printed, aside]: string[][] = [[], []];
  const report = new CollectorReport((text) => void printed?.push(text), (text) => void aside?.push(text));

  for (const what of ['cluster', 'postgres', 'storage', 'log', 'database', 'shapes'] as const) report.step({ what });
  report.started();
  report.ready(startedOf(SERVICE, '/data', 7, undefined));
  report.ready(startedOf(SERVICE, '/data', 7, 'Welcome\n'));
  report.say('Stopping');

  expect([report.logLines, printed, aside]).toEqual([
    undefined,
    ['Creating a Postgres cluster (once; takes a few seconds)\n', 'Starting Postgres\n', 'Welcome\n'],
    ['armature: Stopping\n'],
  ]);
});
