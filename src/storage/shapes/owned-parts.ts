/**
 * OwnedParts: what was read for processes, in memory until the table of each takes it. A process has one part at a time, under its
 * pid: what was read for one that has ended is nobody's, and never the part of the one that took its place.
 */
export class OwnedParts<Part> {
  /** By the pid of their owner; undefined while there is none for it. */
  private readonly parts = new Map<string, Part | undefined>();

  /** From now on parts may be read for `owner`. */
  open(owner: string): void {
    this.parts.set(owner, undefined);
  }

  /** In place of a part that was never taken. For an owner that has ended nothing is kept. */
  put(owner: string, part: Part): void {
    if (this.parts.has(owner)) this.parts.set(owner, part);
  }

  /** Hands it over, once. */
  take(owner: string): Part | undefined {
    const part = this.parts.get(owner);
    if (part !== undefined) this.parts.set(owner, undefined);
    return part;
  }

  /** The owner has ended. */
  close(owner: string): void {
    this.parts.delete(owner);
  }

  copy(): OwnedParts<Part> {
    const copy = new OwnedParts<Part>();
    for (const [owner, part] of this.parts) copy.parts.set(owner, part);
    return copy;
  }
}
