/** Case: what is easily done wrong, in a few words, and what shows that it is not. */

/** A test: its file, from `test/` on, and its title as it stands there. */
export type Held = readonly [file: string, title: string];

export type Case =
  | { readonly says: string; readonly heldBy: readonly Held[] }
  /** Why it cannot apply. */
  | { readonly says: string; readonly leftOut: string };
