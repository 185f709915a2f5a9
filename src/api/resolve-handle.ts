/**
 * From a definition to the handle whose log is read. A reader from the start finds the shape or makes it; a reader
 * who holds a handle gets that log and no other: whoever holds a wrong one is led to the right one, and starts again.
 */
import { bornMicros, definitionKey, newHandle, type Handle, type ShapeDefinition } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import { defineShapeTarget } from './define-shape-target.ts';
import { whenReady } from './readiness.ts';
import {
  creationFailed, filterFailed, isRefusal, mustRefetch, snapshotCrashed, snapshotFailed, stillBehind, storageFull, type Refusal,
} from './refusal.ts';
import type { SnapshotStart } from './ports.ts';
import type { DefinitionParameters } from './shape-parameters.ts';

/** So long after it was given out, a handle whose filter failed is answered for by that: from then on the filter is tried anew. */
const FAILURE_MICROS = 60_000_000;

export interface Resolved {
  readonly handle: Handle;
}

export async function resolveHandle(
  context: ApiContext,
  definition: ShapeDefinition,
  wanted: Handle | undefined,
): Promise<Resolved | Refusal> {
  if (wanted !== undefined && isLogOf(context, wanted, definition)) {
    context.ports.shapes.noteReader(wanted);
    return { handle: wanted };
  }
  const failure = wanted === undefined ? undefined : await recentFailure(context, definition, wanted);
  if (failure !== undefined) return failure;
  const found = await findOrCreate(context, definition);
  // While we waited for the service to be ready the wanted shape may have been restored.
  if (isRefusal(found) || wanted === undefined || found.handle === wanted) return found;
  if (context.ports.shapes.mayReplace(wanted, found.handle)) return stillBehind(); // Led back, its client would go to and fro.
  return mustRefetch(found.handle);
}

/** Waits until the log has something to read, or tells why it never will. */
export async function untilStarted(context: ApiContext, handle: Handle, definition: ShapeDefinition): Promise<Refusal | undefined> {
  const start = await context.ports.shapes.awaitSnapshotStart(handle);
  return start.outcome === 'gone' ? mustRefetch(context.ports.shapes.findReadable(definition)) : failed(start);
}

/** The answer to a reader whose log ended before the first look at it: why its snapshot failed, for after a 409 it would try for ever. */
export async function endedEarly(context: ApiContext, handle: Handle, parameters: DefinitionParameters): Promise<Refusal> {
  return failed(context.ports.shapes.howItEnded(handle)) ?? (await rotated(context, parameters));
}

/** Undefined for one that nothing kept from its first row. */
function failed(start: SnapshotStart): Refusal | undefined {
  switch (start.outcome) {
    case 'started':
    case 'gone':
      return undefined;
    case 'failed':
      return snapshotFailed(start.message, start.code);
    case 'filterFailed':
      return filterFailed(start.code, start.message);
    case 'unexpected':
      return snapshotCrashed(start.message);
  }
}

/**
 * The answer to a reader whose log ended while it was read: the one that it would get if it asked now. It names a handle
 * to go on with, and the shape is made when there is none. The table is looked up again, because a change of the table
 * may have ended the shape.
 */
export async function rotated(context: ApiContext, parameters: DefinitionParameters): Promise<Refusal> {
  const { status } = context.ports;
  if (status.level() !== 'active' || !status.isAwake()) return mustRefetch();
  const target = await defineShapeTarget(context, parameters);
  const successor = isRefusal(target) ? target : await findOrCreate(context, target.definition);
  return isRefusal(successor) ? mustRefetch() : mustRefetch(successor.handle);
}

/**
 * Who is led to a handle asks for it next. One whose filter has an error in a row may be gone by then: led on to a new one, which
 * ends likewise, a client would go on so for ever. So it hears of the error instead.
 */
async function recentFailure(context: ApiContext, definition: ShapeDefinition, wanted: Handle): Promise<Refusal | undefined> {
  const born = bornMicros(wanted);
  const isRecent = context.clock.epochMicros() - born < FAILURE_MICROS && newHandle(definition, born) === wanted;
  if (!isRecent) return undefined;
  const start = await context.ports.shapes.awaitSnapshotStart(wanted);
  return start.outcome === 'filterFailed' ? filterFailed(start.code, start.message) : undefined;
}

/** The shape is served under this handle. */
export function isLogOf({ ports }: ApiContext, handle: Handle, definition: ShapeDefinition): boolean {
  const served = ports.shapes.definitionOf(handle);
  if (served === undefined || served === knownAs.get(definition)) return served !== undefined;
  const isSame = definitionKey(served) === definitionKey(definition);
  if (isSame) knownAs.set(definition, served);
  return isSame;
}

/** What a request asked for, and the shape's own that was found to be the same: neither ever changes, and clients ask again and again. */
const knownAs = new WeakMap<ShapeDefinition, ShapeDefinition>();

async function findOrCreate(context: ApiContext, definition: ShapeDefinition): Promise<Resolved | Refusal> {
  const { shapes } = context.ports;
  const found = shapes.findReadable(definition);
  if (found !== undefined) return { handle: found };
  const unready = await whenReady(context, 'active');
  if (unready !== undefined) return unready;
  const creation = await shapes.create(definition);
  if (creation.outcome === 'full') return storageFull();
  return creation.outcome === 'created' ? { handle: creation.handle } : creationFailed();
}
