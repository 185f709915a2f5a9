/**
 * HiddenLines: how much of lines that nobody sees yet may stay in memory, of all shapes together. While there is room they need not go to
 * the files before they are shown, where their readers would have to look for them at once.
 */
export interface HiddenLines {
  /** @param owner who has so many by now. @returns whether they may stay; if not, none of its are counted any more. */
  mayStay(owner: object, bytes: number): boolean;
  /** They are seen, or are there no more. */
  release(owner: object): void;
}

/** A move of some ten thousand rows. */
const BYTES_OF_ONE_MAX = 4 * 1024 * 1024;
const BYTES_MAX = 8 * 1024 * 1024;

export function hiddenLines(bytesMax = BYTES_MAX, bytesOfOneMax = BYTES_OF_ONE_MAX): HiddenLines {
  const held = new Map<object, number>();
  let total = 0;
  const release = (owner: object): void => {
    total -= held.get(owner) ?? 0;
    held.delete(owner);
  };
  return {
    release,
    mayStay(owner, bytes) {
      release(owner);
      if (bytes > bytesOfOneMax || total + bytes > bytesMax) return false;
      held.set(owner, bytes);
      total += bytes;
      return true;
    },
  };
}
