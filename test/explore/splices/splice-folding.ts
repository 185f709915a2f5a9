/** SpliceFolding: what the readers of a shape have by now, as a client folds its log. */
import { compareOffsets } from '../../../src/model/log-offset.ts';
import type { Handle } from '../../../src/model/shape.ts';
import { TagFoldingClient, type ShapeMessage } from '../../support/shapes/tag-folding-client.ts';
import type { Violation } from '../checker/system.ts';
import { PROPERTIES } from './splice-claims.ts';
import type { SpliceModel } from './splice-model.ts';
import { selectedRows, type SettledShape } from './splice-setting.ts';

export function dependentsIn({ setting }: SpliceModel): readonly SettledShape[] {
  return setting.shapes.filter(({ keeper }) => keeper !== undefined);
}

/** What SELECT gives. */
function selected(world: SpliceModel, handle: Handle): readonly string[] {
  return selectedRows(world.setting, handle, (table) => world.rows(table)).map((row) => row.join(' ')).sort();
}

/** How what its readers have differs from what SELECT gives; undefined where it does not. */
export function otherRows(world: SpliceModel, handle: Handle): string | undefined {
  const [rows, expected] = [folded(world, handle).rows.join(), selected(world, handle).join()];
  return rows === expected ? undefined : `rows ${rows} instead of ${expected}`;
}

/** What no reader should be sent. */
export function misfolded(world: SpliceModel, handle: Handle): Violation | undefined {
  return folded(world, handle).found;
}

interface Folded {
  readonly found: Violation | undefined;
  readonly rows: readonly string[];
}

const folds = new WeakMap<SpliceModel, Map<Handle, Folded>>();

function folded(world: SpliceModel, handle: Handle): Folded {
  const known = folds.get(world) ?? new Map<Handle, Folded>();
  folds.set(world, known);
  const found = known.get(handle) ?? fold(world, handle);
  known.set(handle, found);
  return found;
}

function fold(world: SpliceModel, handle: Handle): Folded {
  const client = new TagFoldingClient();
  const { rows = [], lines = [] } = world.shape(handle)?.state ?? {};
  for (const text of [...rows, ...lines.map((line) => line.text)]) client.take(JSON.parse(text) as ShapeMessage);
  const [mistake] = client.mistakes;
  const disordered = lines.findIndex(({ offset }, index) => index > 0 && compareOffsets(lines[index - 1]?.offset ?? offset, offset) >= 0);
  const strict = mistake && { property: PROPERTIES.strict, what: `${mistake.claim}: ${JSON.stringify(mistake.message)}` };
  const ordered = disordered === -1 ? undefined : { property: PROPERTIES.ordered, what: `${lines[disordered]?.offset} comes too late` };
  return { found: strict ?? ordered, rows: [...client.rows.values()].map((row) => Object.values(row).join(' ')).sort() };
}
