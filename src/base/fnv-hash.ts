/**
 * FNV-1a, 32 bits (Fowler, Noll, Vo): spreads short texts evenly, quickly, the same on every machine. Not against anybody
 * who looks for collisions. Of a letter beyond Latin-1 all sixteen bits go in at once.
 *
 * @param from the hash of what stands before `text`: so the beginning that many have in common is gone through once.
 */
export function fnvHash(text: string, from = 0x811c9dc5): number {
  let hash = from;
  for (let index = 0; index < text.length; index += 1) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return hash >>> 0;
}
