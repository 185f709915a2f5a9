/** Deleting a shape, for operators and tests: by its definition, its handle, or both when they agree. Makes nothing. */
import type { Handle } from '../model/shape.ts';
import type { ApiContext } from './api-context.ts';
import { defineShapeTarget } from './define-shape-target.ts';
import { whenAwake, whenReady } from './readiness.ts';
import { deletionDisabled, isRefusal, mismatchedHandle, noSuchShape, type Refusal } from './refusal.ts';
import { deleteParameters, type DeleteParameters, type RawParameters } from './shape-parameters.ts';
import type { ShapeResponse } from './shape-response.ts';

export async function deleteShape(context: ApiContext, raw: RawParameters): Promise<ShapeResponse> {
  const unready = await whenReady(context, 'active');
  if (unready !== undefined) return unready;
  if (!context.settings.isDeletionEnabled) return deletionDisabled();
  const parameters = deleteParameters(raw);
  if (isRefusal(parameters)) return parameters;
  const asleep = await whenAwake(context);
  if (asleep !== undefined) return asleep;
  const handle = await handleToDelete(context, parameters);
  if (isRefusal(handle)) return handle;
  await context.ports.shapes.delete(handle.handle);
  return { kind: 'deleted', status: 202 };
}

async function handleToDelete(context: ApiContext, parameters: DeleteParameters): Promise<{ readonly handle: Handle } | Refusal> {
  const { shapes } = context.ports;
  const { handle, shape } = parameters;
  if (shape.table === undefined) {
    return handle !== undefined && shapes.definitionOf(handle) !== undefined ? { handle } : noSuchShape();
  }
  const target = await defineShapeTarget(context, shape);
  if (isRefusal(target)) return target;
  const found = shapes.find(target.definition);
  if (found === undefined) return noSuchShape();
  return handle === undefined || handle === found ? { handle: found } : mismatchedHandle();
}
