/** Which files of a storage directory nobody knows: neither what every directory has, nor what its shapes need. */
import type { ShapeLog } from '../../../src/storage/shapes/shape-logs.ts';

const KNOWN = [
  /^\/format$/, /^\/reserve\.new$/, /^\/lock\.\d+$/, /^\/log\/durable$/, /^\/log\/\d{16}\.log$/, /^\/checkpoint\/\d{16}\.checkpoint$/,
  /^\/packs\/\d{16}\.pack$/, // Those that no shape needs go one checkpoint later.
];
/** Of which there is one. */
const SINGLE = [/^\/lock\./, /^\/checkpoint\//];
const SHAPE_FILE = /^\/shapes\/[0-9a-f]{2}\/([\w-]+)\.(snapshot|(?:\d+\.)?(?:lines|index))$/;

/** @param shapes all of them, whose splices all have their lines; behind a checkpoint, and nothing is compacted. */
export function filesLeftOver(files: readonly string[], directory: string, shapes: readonly ShapeLog[]): readonly string[] {
  const paths = files.map((path) => path.slice(directory.length));
  const handles = new Set<string>(shapes.map(({ handle }) => handle));
  const perHandle = new Map<string, number>();
  return paths.filter((path) => {
    const [, handle, kind] = SHAPE_FILE.exec(path) ?? [];
    if (handle === undefined) return !KNOWN.some((known) => known.test(path)) || hasAnother(path, paths);
    const count = (perHandle.get(handle) ?? 0) + Number(kind !== 'snapshot');
    perHandle.set(handle, count);
    return !handles.has(handle) || count > 2; // Its lines, and their index.
  });
}

function hasAnother(path: string, paths: readonly string[]): boolean {
  return SINGLE.some((single) => single.test(path) && paths.filter((other) => single.test(other)).length > 1);
}
