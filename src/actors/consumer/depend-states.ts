/**
 * DependStates: how a Consumer finds those who keep the values that its shape looks up, one dependency after the other.
 *
 * Each Materializer is started, or found running, by the pid of the inner Consumer; monitored before it is asked; and then says which
 * version it has. From here on its death is an event. One that ended before we were with it, since its last dependant had just left, is
 * started once more.
 */
import { consumerSetup, dependencyEnd, lastMaterializer, nextDependency, type ConsumerContext } from './consumer-setup.ts';

export const dependStates = consumerSetup.createStateConfig({
  initial: 'measuring',
  states: {
    measuring: { always: [{ guard: 'hasMoreToDependOn', target: 'starting' }, { target: 'viewing' }] },
    starting: {
      entry: {
        type: 'call',
        params: ({ context }) => {
          const { handle, column, consumer } = nextDependency(context);
          const args = { handle, column, consumer, dependant: context.self };
          const request = { type: 'startChild', template: 'materializer', args };
          return { to: '@consumers', request, as: 'dependency' };
        },
      },
      on: {
        'child.started': { target: 'subscribing', actions: { type: 'noteMaterializer', params: ({ event }) => event } },
        'child.refused': [
          {
            guard: { type: 'isAlreadyStarted', params: ({ event }) => event },
            target: 'subscribing',
            actions: { type: 'noteMaterializer', params: ({ event }) => event },
          },
          { target: '#consumer.closed' },
        ],
        'dependency.failed': '#consumer.closed',
      },
    },
    subscribing: {
      entry: [
        { type: 'monitor', params: ({ context }) => ({ process: lastMaterializer(context), as: 'dependency' }) },
        {
          type: 'call',
          params: ({ context }) => ({
            to: lastMaterializer(context),
            request: { type: 'subscribe', dependant: context.self },
            as: 'dependency',
          }),
        },
      ],
      on: {
        'values.areCurrent': { target: 'measuring', actions: { type: 'noteDependency', params: ({ event }) => event } },
        'values.areInvalid': {}, // Its end says why.
        'dependency.down': [
          {
            guard: { type: 'isInvalid', params: ({ event }) => event },
            target: '#consumer.closed',
            actions: { type: 'noteReason', params: ({ event }) => ({ reason: dependencyEnd(event.reason) }) },
          },
          // One that we were with already is lost: we begin again, once it is back.
          { guard: { type: 'isLateMaterializer', params: ({ event }) => event }, target: 'starting', actions: 'dropMaterializer' },
          { target: '#consumer.closed' },
        ],
      },
    },
    viewing: {
      entry: { type: 'apply', params: ({ context: { materializers, told } }) => depend(materializers, told) },
      on: {
        'views.known': { target: 'awaitingValues', actions: { type: 'noteViews', params: ({ event }) => event } },
      },
    },
    /**
     * A shape that comes back may be further than one that it depends on, which is on its way through the log as well. A block is routed
     * to those who look for what is in it, by the values that there are by then. So none is routed to us before these are all that we
     * have recorded: what is already routed we read by ourselves.
     */
    awaitingValues: { always: { guard: 'hasValues', target: '#consumer.running.ingest.registering' } },
  },
});

function depend(materializers: ConsumerContext['materializers'], offsets: ConsumerContext['told']) {
  return { table: 'log', change: { depend: materializers, offsets } };
}
