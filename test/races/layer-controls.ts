/** Two layers with a cure taken out: the properties must find what it was for. */
import { consumer } from '../../src/actors/consumer/consumer.ts';
import type { SpliceDraft } from '../../src/actors/consumer/splice-lines.ts';
import { materializer } from '../../src/actors/materializer.ts';
import type { PgSnapshot } from '../../src/model/pg-snapshot.ts';
import type { Message, Table } from '../../src/otp/process.ts';
import { stateAt, withConfig, type ConfigNode } from '../support/actors/machine-config.ts';
import type { LayeredOptions } from '../support/layers/layered-world.ts';

/**
 * Nobody waits between the layers: a Materializer answers before its dependants have the moves, and they stay in the others' pace when
 * they hear of them.
 */
export const layersAtOnce: LayeredOptions = {
  machines: {
    materializer: withConfig(materializer, (config) => {
      const telling = stateAt(config, 'live.telling');
      const done = telling.on?.['moves.done'] as ConfigNode;
      telling.entry = [telling.entry, done['actions']].flat();
      telling.on = { 'moves.done': 'waiting', takeAppended: { actions: 'postpone' } };
    }),
    consumer: withConfig(consumer, (config) => {
      const live = stateAt(config, 'running.ingest.live');
      const stay = (each: ConfigNode) => (each['target'] === 'steppingAside' ? { ...each, target: 'measuring' } : each);
      live.always = (live.always as ConfigNode[]).map(stay);
    }),
  },
};

/** Whoever follows a shape that depends on others hears of what it takes from the log, and not of what a splice brings. */
export const splicesUntold: LayeredOptions = {
  machines: {
    consumer: withConfig(consumer, (config) => {
      const ending = stateAt(config, 'running.ingest.splicing.ending');
      ending.on = { 'splice.taken': (ending.on?.['splice.taken'] as ConfigNode[]).slice(1) };
    }),
  },
};

/** A Materializer hears of the one for whom it is made when that subscribes, and not before. */
export const unknownDependant: LayeredOptions = {
  machines: {
    materializer: withConfig(materializer, (config) => {
      const awaiting = stateAt(config, 'awaitingSnapshot');
      const waiting = stateAt(config, 'live.waiting');
      const [monitorConsumer, , ask] = [awaiting.entry].flat();
      const [, subscribed] = waiting.on?.['subscribe'] as ConfigNode[];
      awaiting.entry = [monitorConsumer, ask];
      waiting.on = { ...waiting.on, subscribe: subscribed };
    }),
  },
};

/** A first snapshot has the rows of values that its Consumer has yet to hear of: these move once more when it does. */
export const snapshotOfNow: LayeredOptions = { selectsAnew: true };

/** A splice takes what was logged before its query, whether that saw it or not. */
export const splicedByPosition: LayeredOptions = {
  tables: (tables) => ({
    ...tables,
    consumer: (handle, self) => {
      const made = tables.consumer(handle, self);
      return { ...made, ...(made['log'] === undefined ? {} : { log: new PositionalLog(made['log']) }) };
    },
  }),
};

/** Says of a splice that its query saw every transaction. */
class PositionalLog implements Table<unknown> {
  constructor(private readonly log: Table) {}

  apply(change: unknown): Message | undefined {
    return this.log.apply(isRecord(change) ? { record: { ...change.record, pgSnapshot: seeingAll(change.record.pgSnapshot) } } : change);
  }

  clone(fork: Parameters<Table['clone']>[0]): PositionalLog {
    return new PositionalLog(this.log.clone(fork));
  }

  key(): string {
    return this.log.key();
  }

  close(): void {
    this.log.close?.();
  }
}

function isRecord(change: unknown): change is { readonly record: SpliceDraft } {
  return typeof change === 'object' && change !== null && 'record' in change;
}

const BEYOND_EVERY_XID = '1000000';

function seeingAll(pgSnapshot: PgSnapshot | null): PgSnapshot | null {
  return pgSnapshot && { ...pgSnapshot, xmin: BEYOND_EVERY_XID, xmax: BEYOND_EVERY_XID, xip: [] };
}
