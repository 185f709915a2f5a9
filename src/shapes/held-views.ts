/** HeldViews: views by which shapes are read, for as long as that takes: what they look up is kept, although the shapes go on. */
import type { LogOffset } from '../model/log-offset.ts';
import type { Dependant } from './oldest-view.ts';

type ReadShape = Omit<Dependant, 'storedViews'>;

export class HeldViews implements Iterable<Dependant> {
  private readonly held = new Set<Dependant>();

  /** For somebody who reads the shape. */
  reader(shape: ReadShape): ViewHolder {
    return new ViewHolder(this.held, shape);
  }

  [Symbol.iterator](): Iterator<Dependant> {
    return this.held.values();
  }
}

/** Holds the last views that it was told, until it ends. */
export class ViewHolder {
  private reader: Dependant | undefined;
  private isOver = false;

  constructor(
    private readonly held: Set<Dependant>,
    private readonly shape: ReadShape,
  ) {}

  /** Of one that has ended nothing is held any more, however late somebody asks. */
  hold(views: readonly LogOffset[]): void {
    this.letGo();
    if (this.isOver) return;
    const { handle, definition, dependsOn } = this.shape;
    this.reader = { handle, definition, dependsOn, storedViews: views };
    this.held.add(this.reader);
  }

  end(): void {
    this.isOver = true;
    this.letGo();
  }

  private letGo(): void {
    if (this.reader !== undefined) this.held.delete(this.reader);
    this.reader = undefined;
  }
}
