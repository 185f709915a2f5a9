/**
 * Hooks of every test file: what a test has started ends with it, however the test ends; what a file has started for all
 * its tests ends with the file. They come after the hooks of the file, which may stop a service in good order.
 *
 * A service in this process ends with the file alone: many a file has one for all its tests, which one of them starts anew.
 */
import { afterAll, beforeEach } from 'vitest';
import { removeClusters } from '../postgres/cluster-directory.ts';
import { endProcessesBut, runningProcesses } from './running-processes.ts';
import { removeLeftServices } from './running-services.ts';

beforeEach(({ onTestFinished }) => {
  const before = runningProcesses();
  onTestFinished(() => endProcessesBut(before));
});

afterAll(async () => {
  await removeLeftServices();
  await endProcessesBut(new Set());
  removeClusters();
});
