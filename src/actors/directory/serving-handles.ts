/**
 * ServingHandles: which handle serves a definition. The key of a definition is a long text: one for each shape would be a good part of what
 * a shape takes that nothing touches. So a handle is found by a hash of it, and held against the definition that it stands for.
 */
import { invariant } from '../../base/invariant.ts';
import { definitionHash, definitionKey, type Handle, type ShapeDefinition } from '../../model/shape.ts';

export class ServingHandles {
  /** Of equal hashes there are hardly ever two. */
  private readonly handles = new Map<number, Handle | readonly Handle[]>();
  private count = 0;

  /** @param definitionOf of those that are here. */
  constructor(private readonly definitionOf: (handle: Handle) => ShapeDefinition | undefined) {}

  get size(): number {
    return this.count;
  }

  find(definition: ShapeDefinition): Handle | undefined {
    return this.findAt(hashOf(definition), definition);
  }

  /** From now on this one serves it. @returns the one that did until now. */
  set(handle: Handle, definition: ShapeDefinition): Handle | undefined {
    const hash = hashOf(definition);
    const before = this.findAt(hash, definition);
    const others = this.at(hash).filter((other) => other !== before);
    this.put(hash, [...others, handle]);
    return before;
  }

  /** Changes nothing where another one serves its definition. */
  delete(handle: Handle, definition: ShapeDefinition): void {
    const hash = hashOf(definition);
    this.put(hash, this.at(hash).filter((other) => other !== handle));
  }

  /** @param definitionOf as the copy has them. */
  clone(definitionOf: (handle: Handle) => ShapeDefinition | undefined): ServingHandles {
    const copy = new ServingHandles(definitionOf);
    for (const [hash, handles] of this.handles) copy.handles.set(hash, handles);
    copy.count = this.count;
    return copy;
  }

  /** Nothing stands at the hash of nearly all that are new: the key of one is not made for that. */
  private findAt(hash: number, definition: ShapeDefinition): Handle | undefined {
    if (!this.handles.has(hash)) return undefined;
    const key = definitionKey(definition);
    return this.at(hash).find((handle) => this.isOf(handle, key));
  }

  private isOf(handle: Handle, key: string): boolean {
    const definition = this.definitionOf(handle);
    invariant(definition !== undefined, `what serves has a life: ${handle}`);
    return definitionKey(definition) === key;
  }

  private at(hash: number): readonly Handle[] {
    const found = this.handles.get(hash) ?? NONE;
    return typeof found === 'string' ? [found] : found;
  }

  private put(hash: number, handles: readonly Handle[]): void {
    const [first, ...others] = handles;
    this.count += handles.length - this.at(hash).length;
    if (first === undefined) this.handles.delete(hash);
    else this.handles.set(hash, others.length === 0 ? first : handles);
  }
}

const NONE: readonly Handle[] = [];

/** As handles begin with; a small integer takes no memory of its own. */
function hashOf(definition: ShapeDefinition): number {
  return definitionHash(definition) >>> 5;
}
