/** HeldViews: views by which shapes are read, for as long as that takes: what they look up is kept, although the shapes go on. */
import type { LogOffset } from '../model/log-offset.ts';
import type { Dependant } from './oldest-view.ts';

export class HeldViews implements Iterable<Dependant> {
  private readonly held = new Set<Dependant>();

  /** @returns lets go of them. */
  hold({ handle, definition, dependsOn }: Omit<Dependant, 'storedViews'>, views: readonly LogOffset[]): () => void {
    const reader = { handle, definition, dependsOn, storedViews: views };
    this.held.add(reader);
    return () => void this.held.delete(reader);
  }

  [Symbol.iterator](): Iterator<Dependant> {
    return this.held.values();
  }
}
