/**
 * Hooks of every test file: what a test has started ends with it, however the test ends; what a file has started for all
 * its tests ends with the file. They come after the hooks of the file, which may stop a service in good order.
 */
import { afterAll, beforeEach } from 'vitest';
import { endProcessesBut, runningProcesses } from './running-processes.ts';

beforeEach(({ onTestFinished }) => {
  const before = runningProcesses();
  onTestFinished(() => endProcessesBut(before));
});

afterAll(() => endProcessesBut(new Set()));
