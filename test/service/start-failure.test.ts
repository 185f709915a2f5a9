/** The one message of a service that did not start. */
import { expect, test } from 'vitest';
import { InvariantError } from '../../src/base/invariant.ts';
import { AddressRefusedError, PortTakenError } from '../../src/http/listen-errors.ts';
import { StartError } from '../../src/otp/kernel/outside.ts';
import { startFailure } from '../../src/service/start-failure.ts';

const deep = (name: string, message: string): StartError =>
  new StartError('stack', {
    shutdown: {
      type: 'failed_to_start_child',
      id: 'edge',
      reason: {
        shutdown: {
          type: 'failed_to_start_child',
          id: 'http',
          reason: { error: { name, message, stack: `${name}: ${message}\n    at here` } },
        },
      },
    },
  });

test.each([
  [new PortTakenError('the port is taken'), 'the port is taken'],
  [new AddressRefusedError('no such address'), 'no such address'],
  [deep('PortTakenError', 'the port is taken'), 'the port is taken'],
  [new StartError('stack', 'killed'), 'stack did not start: killed'],
  ['odd', 'odd'],
])('%o says "%s" and no more', (error, message) => {
  expect(startFailure(error)).toBe(message);
});

test.each([new InvariantError('two and two are four'), deep('TypeError', 'two and two are four')])(
  'an error of ours asks to be reported, with its stack',
  (error) => {
    expect(startFailure(error)).toMatch(/please report it\.\n.*two and two are four\n +at /s);
  },
);
