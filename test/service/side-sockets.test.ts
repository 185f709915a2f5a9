/** Where a service listens beside its own port: found out at the start, whichever stage that begins with. */
import { afterEach, expect, test } from 'vitest';
import { Closing } from '../../src/service/closing.ts';
import { groundOf } from '../../src/service/ground.ts';
import { configurationOf } from '../../src/service/service-options.ts';
import { openSideSockets } from '../../src/service/side-sockets.ts';
import { systemWorld } from '../../src/service/world.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

let closing = new Closing();

afterEach(async () => {
  await closing.all();
  closing = new Closing();
});

async function open(options: { readonly prometheusPort?: number; readonly inspect?: true; readonly inspectPort?: number }) {
  const configuration = configurationOf({
    databaseUrl: 'postgresql://nobody@127.0.0.1/none', insecure: true, host: '127.0.0.1', ...options,
  });
  const logger = createLogger({ level: 'silent' });
  return await openSideSockets(await groundOf({ configuration, world: systemWorld, watch: {}, logger, closing }));
}

const portOf = (url = ''): number => Number(new URL(url).port);

test('a port that is taken is told before there is a stage', async () => {
  const { metricsUrl, inspectionUrl } = await open({ prometheusPort: 0, inspect: true, inspectPort: 0 });

  const metrics = await open({ prometheusPort: portOf(metricsUrl) }).catch((error: Error) => error.name);
  const inspection = await open({ inspect: true, inspectPort: portOf(inspectionUrl) }).catch((error: Error) => error.name);

  expect([metrics, inspection]).toEqual(['MetricsPortError', 'InspectionPortTakenError']);
});

test('until a stage shows what it has there is nothing to be measured', async () => {
  const { metricsUrl = '' } = await open({ prometheusPort: 0 });

  expect((await fetch(metricsUrl)).status).toBe(503);
});
