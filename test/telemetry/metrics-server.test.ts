/** The port of the metrics: what it says when it cannot be had, and that a scrape that fails ends nothing. */
import { afterEach, expect, test } from 'vitest';
import { MetricsPortError, startMetricsServer, type MetricsServer } from '../../src/telemetry/metrics/metrics-server.ts';

const open: MetricsServer[] = [];

afterEach(async () => {
  for (const server of open.splice(0)) await server.close();
});

async function serve(scrape: () => Promise<string | undefined>, port = 0) {
  const failures: unknown[] = [];
  const server = await startMetricsServer({
    host: '127.0.0.1', port, contentType: 'text/plain', scrape, failed: (error) => failures.push(error),
  });
  open.push(server);
  return { url: server.url, failures };
}

test('a port that is taken is one sentence that says what to do', async () => {
  const { url } = await serve(async () => '');
  const port = Number(new URL(url).port);

  const error = await serve(async () => '', port).catch((thrown: unknown) => thrown);

  const message = `Port ${port} on 127.0.0.1 is already in use. Choose another for the metrics with --prometheus-port.`;
  expect(error).toEqual(new MetricsPortError(message));
});

test('a scrape that fails is told and answered, and the next one is served', async () => {
  const mistake = new Error('no figures');
  let hasFailed = false;
  const { url, failures } = await serve(async () => {
    if (hasFailed) return 'up 1\n';
    hasFailed = true;
    throw mistake;
  });

  const [first, second] = [await fetch(url), await fetch(url)];

  expect([first.status, await first.text(), second.status, await second.text(), failures]).toEqual([
    500, 'The metrics could not be read; the log of the service says why.\n', 200, 'up 1\n', [mistake],
  ]);
});

test('while there is nothing to be measured it says so, which is no failure', async () => {
  const { url, failures } = await serve(async () => undefined);

  const { status } = await fetch(url);

  expect({ status, failures }).toEqual({ status: 503, failures: [] });
});
