/**
 * Wire format: xstate's inspection events as the messages that `@statelyai/inspect` sends and the visualizer reads.
 *
 * Written here, held to that package in the tests. The package itself converts an event one tick later and from what
 * the actor has become by then, cuts definitions at a depth that a Consumer's exceeds, and brings clients of a remote
 * service with it. Ours says what was so when it happened, and holds nothing back after the last observer has left.
 */
import type { ActorRefLike, InspectionEvent } from 'xstate';
import type { Clock } from '../base/clock.ts';

/** The version of `@statelyai/inspect` whose messages these are. */
const WIRE_VERSION = '0.7.2';

/** What xstate hands out is always an actor; its types promise less. */
type Actor = ActorRefLike & { readonly id: string; readonly _parent?: ActorRefLike; readonly logic: { readonly config?: unknown } };

/** The messages of one stream: it begins with those who live, then goes on event by event. */
export class WireFormat {
  private readonly clock: Pick<Clock, 'epochMicros'>;
  /** Actors that xstate has announced, with their roots; before they had a snapshot that could be shown. */
  private readonly newcomers = new Map<ActorRefLike, string>();

  constructor(clock: Pick<Clock, 'epochMicros'>) {
    this.clock = clock;
  }

  /** @returns messages, in order; none for the steps inside a transition, which the format does not know. */
  messagesOf(event: InspectionEvent): readonly string[] {
    switch (event.type) {
      case '@xstate.actor':
        this.newcomers.set(event.actorRef, event.rootId);
        return [];
      case '@xstate.event': {
        const message = this.message(event, { event: event.event, sourceId: event.sourceRef?.sessionId });
        return this.newcomers.has(event.actorRef) ? [this.actor(event), message] : [message];
      }
      case '@xstate.snapshot':
        return [this.message(event, { event: event.event, snapshot: event.snapshot })];
      default:
        return [];
    }
  }

  /** Those who were announced and have had no event since: at the beginning of a stream, all who live. */
  announced(): readonly string[] {
    return [...this.newcomers].map(([actorRef, rootId]) => this.actor({ actorRef, rootId }));
  }

  private actor({ actorRef, rootId }: Pick<InspectionEvent, 'actorRef' | 'rootId'>): string {
    this.newcomers.delete(actorRef);
    const { id, _parent: parent, logic } = actorRef as Actor;
    const fields = {
      name: id,
      parentId: parent?.sessionId,
      definition: definitionOf(id, logic),
      snapshot: actorRef.getSnapshot() as unknown,
    };
    return this.message({ type: '@xstate.actor', actorRef, rootId }, fields);
  }

  private message({ type, actorRef, rootId }: Pick<InspectionEvent, 'type' | 'actorRef' | 'rootId'>, fields: object): string {
    const createdAt = String(Math.floor(this.clock.epochMicros() / 1000));
    return JSON.stringify(
      { type, ...fields, sessionId: actorRef.sessionId, rootId, createdAt, id: null, _version: WIRE_VERSION },
      printable,
    );
  }
}

const definitions = new WeakMap<object, string>();

/** Of a machine its config, as text; all processes of one machine share it. Of a port a name. */
function definitionOf(id: string, { config }: Actor['logic']): string {
  if (typeof config !== 'object' || config === null) return JSON.stringify({ id });
  const known = definitions.get(config);
  if (known !== undefined) return known;
  const definition = JSON.stringify(config, printable);
  definitions.set(config, definition);
  return definition;
}

/** A function is shown by its name; a BigInt, which nothing that we show should hold, by its digits. */
function printable(_name: string, value: unknown): unknown {
  if (typeof value === 'function') return { type: value.name };
  return typeof value === 'bigint' ? String(value) : value;
}
